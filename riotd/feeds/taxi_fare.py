"""What a New York taxi trip cost in January 2013, in cents.

From the Taxi and Limousine Commission's tariff of September 2012: 2.50 dollars at the start, 0.50 for each fifth of a
mile, or for each minute in slow traffic; 52.00 flat between Manhattan and JFK airport; 0.50 surcharge from 20 to 6 h,
1.00 on weekdays from 16 to 20 h, none with the flat fare; 0.50 tax of the state.

How long a trip is in slow traffic neither RIoTBench's records nor the tariff tell. 0.7 of its minutes less 1.2 minutes
a mile, at least none, gives fares that are 0.43 dollars off in the mean over RIoTBench's 4,090 training triples.
"""

from typing import Final

FLAT: Final = 5200
"""Between Manhattan and JFK."""

TAX: Final = 50

_START, _UNIT = 250, 50
_TOLLS = (*(480,) * 14, 220, 1025)  # bridges and tunnels, as likely each
_TOLL_ODDS = ((300, 10), (600, 50), (900, 920), (1200, 2540), (1500, 490), (10**9, 1680))  # miles/100: of 4096
_TIPS = (  # percent of the fare and surcharge of those who pay by card, as likely each
    *(20,) * 28,
    *(25,) * 8,
    *(0, 0, 0, 30, 30, 30),
    *(7, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 17, 17, 18, 18, 18),
)


def metered(miles: int, minutes: int) -> int:
    """The fare by the meter, in cents, at least 250.

    Args:
        miles: in hundredths.
        minutes: that the trip takes.
    """
    units = (500 * miles + max(0, 7000 * minutes - 120 * miles)) // 10_000
    return _START + _UNIT * units


def surcharge(hour: int, weekday: int) -> int:
    """The surcharge on a metered fare, in cents.

    Args:
        hour: of the pickup, 0 to 23.
        weekday: Monday is 0.
    """
    if hour >= 20 or hour < 6:
        return 50
    return 100 if hour >= 16 and weekday < 5 else 0


def tolls(miles: int, bits: int) -> int:
    """What bridges and tunnels cost, in cents: the longer the trip, the more likely there is one.

    Args:
        miles: in hundredths.
        bits: 16 random ones.
    """
    odds = next(odds for below, odds in _TOLL_ODDS if miles < below)
    return _TOLLS[bits >> 12] if bits & 4095 < odds else 0


def tip(cost: int, bits: int) -> int:
    """The tip of one who pays by card, in cents; of others it is not recorded.

    Args:
        cost: fare and surcharge in cents.
        bits: 16 random ones.
    """
    return (cost * _TIPS[bits % len(_TIPS)] + 50) // 100

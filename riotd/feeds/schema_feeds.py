"""RIoTBench's taxis, body sensors and meters as feeds."""

from collections.abc import Iterator
from random import Random
from typing import Final

from riotd.feeds.arrivals import Arrivals, Dataset
from riotd.feeds.fit_subject import FIT, HERTZ, SUBJECTS, Subjects
from riotd.feeds.grid_meter import GRID, HALF_HOUR, METERS, Meters
from riotd.feeds.request import Form, Request
from riotd.feeds.schema_feed import packs
from riotd.feeds.taxi_trip import INDIA, NEW_YORK, TAXI, TAXIS, Trips

FIT_START: Final = 1417890600.0
"""2014-12-06T18:30:00Z, where RIoTBench's sample begins."""

GRID_START: Final = 1247529600.0
"""2009-07-14T00:00:00Z, the day the trial of the meters began."""

_MONDAY = 1358121600  # 2013-01-14T00:00:00 on a clock that stands at UTC
_TRIPS_A_SECOND = 2e6 / TAXIS / (7 * 86400)  # of one taxi: RIoTBench has two million trips in a week
_RATES: Final[dict[Dataset, float]] = {"city": 1.0, "taxi": _TRIPS_A_SECOND, "fit": HERTZ, "grid": 1 / HALF_HOUR}


def usual_rate(dataset: Dataset, sensors: int) -> float:
    """Packs a second of so many devices in the original's own time."""
    return sensors * _RATES[dataset]


def taxi(  # noqa: PLR0913 - one keyword for each property of the feed
    *,
    sensors: int = TAXIS,
    rate: float | None = None,
    seed: int = 0,
    start: float | None = None,
    messages: int | None = None,
    seconds: float | None = None,
    outliers: float = 0.01,
    gaps: float = 0.005,
    malformed: float = 0.0,
    form: Form = "rfc",
    arrivals: Arrivals = "constant",
) -> Iterator[tuple[float, bytes]]:
    """Trips of New York's taxis in the order of their ends; the same arguments give the same bytes.

    Taxis take turns. Fare, tip and total of a trip follow from its distance and time by the tariff of 2013.
    Positions are 0 in two of a hundred trips, as in the original.

    Args:
        sensors: taxis; their ids do not depend on the seed.
        rate: trips a second, all taxis together; by default one of each taxi in 1.7 hours, as in the original. A
            higher one does not shorten trips.
        seed: of everything that is drawn.
        start: Unix seconds before the first end of a trip; by default Monday, 14 January 2013, 0 h on the taxis' clock.
        messages: packs in all; without it, and without `seconds`, there is no end.
        seconds: how long a time to cover.
        outliers: share of packs in which one value is beyond its band.
        gaps: share of packs in which a field is missing; a gap lasts some 20 trips of its taxi.
        malformed: share of packs that are cut short, not JSON, without a name, or hold the number 1e400.
        form: `rfc`, an RFC 8428 pack with the id in its base name `urn:dev:taxi:<id>:`; `riotbench`, the original's
            draft pack, whose times are 5.5 hours off as there; or `csv`, rows in the order of its schema.
        arrivals: `constant`, evenly; or `paper`, at a rate drawn for each second from RIoTBench's histogram, and `rate`
            is their mean.

    Returns:
        Due times in Unix seconds, each with its pack.

    Raises:
        ValueError: an argument is out of its range.
    """
    request = Request(
        sensors=sensors,
        rate=usual_rate("taxi", sensors) if rate is None else rate,
        seed=seed,
        start=_MONDAY - (NEW_YORK if form == "rfc" else INDIA) if start is None else start,
        messages=messages,
        seconds=seconds,
        outliers=outliers,
        gaps=gaps,
        malformed=malformed,
        form=form,
        arrivals=arrivals,
    )
    random = Random(seed)  # noqa: S311 - test data
    return packs(TAXI, request, Trips(sensors, form, random), random)


def fit(  # noqa: PLR0913 - one keyword for each property of the feed
    *,
    sensors: int = SUBJECTS,
    rate: float | None = None,
    seed: int = 0,
    start: float = FIT_START,
    messages: int | None = None,
    seconds: float | None = None,
    outliers: float = 0.01,
    gaps: float = 0.005,
    malformed: float = 0.0,
    form: Form = "rfc",
    arrivals: Arrivals = "constant",
) -> Iterator[tuple[float, bytes]]:
    """Samples of people in motion, in the order of their times; the same arguments give the same bytes.

    Subjects take turns. Each goes through the twelve activities of the label, with rests (label 0) in between; heart
    rate and movements follow.

    Args:
        sensors: people, each with sensors on chest, ankle and arm.
        rate: packs a second, all people together; by default 50 of each. Another one plays the same samples faster or
            slower.
        seed: of everything that is drawn.
        start: Unix seconds of the first pack.
        messages: packs in all; without it, and without `seconds`, there is no end.
        seconds: how long a time to cover.
        outliers: share of packs in which one value is beyond its band.
        gaps: share of packs in which a field is missing; a gap lasts some 20 samples of its subject.
        malformed: share of packs that are cut short, not JSON, without a name, or hold the number 1e400.
        form: `rfc`, an RFC 8428 pack with the id in its base name `urn:dev:fit:<id>:`; `riotbench`, the original's
            draft pack, base time as text as there; or `csv`, rows in the order of its schema.
        arrivals: `constant`, evenly; or `paper`, at a rate drawn for each second from RIoTBench's histogram, and `rate`
            is their mean.

    Returns:
        Due times in Unix seconds, each with its pack.

    Raises:
        ValueError: an argument is out of its range.
    """
    request = Request(
        sensors=sensors,
        rate=usual_rate("fit", sensors) if rate is None else rate,
        seed=seed,
        start=start,
        messages=messages,
        seconds=seconds,
        outliers=outliers,
        gaps=gaps,
        malformed=malformed,
        form=form,
        arrivals=arrivals,
    )
    random = Random(seed)  # noqa: S311 - test data
    return packs(FIT, request, Subjects(sensors, random), random)


def grid(  # noqa: PLR0913 - one keyword for each property of the feed
    *,
    sensors: int = METERS,
    rate: float | None = None,
    seed: int = 0,
    start: float = GRID_START,
    messages: int | None = None,
    seconds: float | None = None,
    outliers: float = 0.01,
    gaps: float = 0.005,
    malformed: float = 0.0,
    form: Form = "rfc",
    arrivals: Arrivals = "constant",
) -> Iterator[tuple[float, bytes]]:
    """Half-hourly readings of electricity meters, in the order of their times; the same arguments give the same bytes.

    Meters take turns. Households peak in the morning and the evening, businesses by day; winters are above summers.

    Args:
        sensors: meters; their ids and levels do not depend on the seed.
        rate: packs a second, all meters together; by default one of each meter in half an hour. Another one plays
            the same half hours faster or slower.
        seed: of everything that is drawn.
        start: Unix seconds before the first pack.
        messages: packs in all; without it, and without `seconds`, there is no end.
        seconds: how long a time to cover.
        outliers: share of packs in which one value is beyond its band.
        gaps: share of readings that are missing; a gap lasts some 20 half hours, in which a meter is silent.
        malformed: share of packs that are cut short, not JSON, without a name, or hold the number 1e400.
        form: `rfc`, an RFC 8428 pack with the id in its base name `urn:dev:grid:<id>:`; `riotbench`, the original's
            draft; or `csv`, rows in the order of its schema.
        arrivals: `constant`, evenly; or `paper`, at a rate drawn for each second from RIoTBench's histogram, and `rate`
            is their mean.

    Returns:
        Due times in Unix seconds, each with its pack.

    Raises:
        ValueError: an argument is out of its range.
    """
    request = Request(
        sensors=sensors,
        rate=usual_rate("grid", sensors) if rate is None else rate,
        seed=seed,
        start=start,
        messages=messages,
        seconds=seconds,
        outliers=outliers,
        gaps=gaps,
        malformed=malformed,
        form=form,
        arrivals=arrivals,
    )
    random = Random(seed)  # noqa: S311 - test data
    return packs(GRID, request, Meters(sensors, start, random), random)

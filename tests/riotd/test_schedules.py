from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from riotd.schedules import COUNTED, Cron, Every, Schedule

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.integers(0, 4_000_000_000_000)
AROUND_SPRING = st.integers(*(int(datetime(2026, 3, day, tzinfo=UTC).timestamp() * 1000) for day in (28, 30)))
AROUND_AUTUMN = st.integers(*(int(datetime(2026, 10, day, tzinfo=UTC).timestamp() * 1000) for day in (24, 26)))
LINES = ["*/5 * * * *", "30 2 * * *", "0,30 2 * * *", "*/20 2 * * *", "15 * * * *", "0 0 29 2 *", "*/10 * * * * *"]


def at(*when: int, zone: ZoneInfo = BERLIN, fold: int = 0) -> int:
    return int(datetime(*when, tzinfo=zone, fold=fold).timestamp() * 1000)  # type: ignore[arg-type,misc]


def dues(schedule: Schedule, begin: int, end: int) -> list[int]:
    """All of a schedule from one moment to another."""
    found = [schedule.after(begin)]
    while found[-1] <= end:
        found.append(schedule.after(found[-1]))
    return found[:-1]


def holds(schedule: Schedule, moment: int) -> None:
    """What every schedule promises."""
    last, after = schedule.last(moment), schedule.after(moment)
    assert last <= moment < after
    assert schedule.after(last) == after
    assert schedule.last(after) == after
    assert schedule.last(after - 1) == last
    assert schedule.count(last, after) == 1


@given(period=st.integers(10, 10**9), origin=MOMENTS, moment=MOMENTS)
def test_every_holds_together(period: int, origin: int, moment: int) -> None:
    """Of an interval, what is due last and next are one period apart, whichever way one asks, before the origin too."""
    every = Every(period, origin=origin)
    holds(every, moment)
    assert every.after(moment) - every.last(moment) == period
    assert (every.last(moment) - origin) % period == 0


@given(moment=MOMENTS, line=st.sampled_from(LINES))
@settings(max_examples=60, deadline=None)
def test_cron_holds_together(moment: int, line: str) -> None:
    """Of a line of cron, nothing is due between what is due last and next, whichever way one asks."""
    holds(Cron(line), moment)


@given(moment=AROUND_SPRING | AROUND_AUTUMN, line=st.sampled_from(LINES))
@example(moment=at(2026, 3, 29, 3), line="30 2 * * *")
@example(moment=at(2026, 10, 25, 2, 10, fold=1), line="30 2 * * *")
@settings(max_examples=150, deadline=None)
def test_cron_holds_together_where_clocks_change(moment: int, line: str) -> None:
    """That holds in the nights in which the clocks change, too."""
    holds(Cron(line, "Europe/Berlin"), moment)


def test_aligned_intervals_are_on_the_hour() -> None:
    """An hour counted from 1970 is due on the full hour of UTC."""
    due = Every(3_600_000).after(at(2026, 7, 1, 12, 34, zone=ZoneInfo("UTC")))
    assert due == at(2026, 7, 1, 13, zone=ZoneInfo("UTC"))


def test_cron_in_a_time_zone() -> None:
    """Midnight in Berlin is 22:00 UTC in summer."""
    due = Cron("0 0 * * *", "Europe/Berlin").after(at(2026, 7, 1, 12))
    assert datetime.fromtimestamp(due / 1000, UTC) == datetime(2026, 7, 1, 22, tzinfo=UTC)


def test_an_hour_that_is_left_out() -> None:
    """What was due in the hour that is left out in spring is due once, at its end."""
    schedule = Cron("30 2 * * *", "Europe/Berlin")
    assert dues(schedule, at(2026, 3, 28, 12), at(2026, 3, 30, 12)) == [at(2026, 3, 29, 3), at(2026, 3, 30, 2, 30)]


def test_an_hour_that_comes_twice() -> None:
    """A fixed hour is due once in the night in which it comes twice; what is due every half hour is so in both."""
    night = at(2026, 10, 25, 1, 59), at(2026, 10, 25, 3, 59)
    assert dues(Cron("30 2 * * *", "Europe/Berlin"), *night) == [at(2026, 10, 25, 2, 30)]
    halves = dues(Cron("*/30 * * * *", "Europe/Berlin"), *night)
    assert {later - sooner for sooner, later in pairwise(halves)} == {1_800_000}
    assert len(halves) == 6


def test_counts_end() -> None:
    """After years of a minute's ticks, as many are counted as do not hold the loop up."""
    year = 365 * 86_400_000
    assert Cron("* * * * *").count(0, year) == COUNTED
    assert Every(60_000).count(0, year) == 365 * 24 * 60


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("99 * * * *", "bad minute"),
        ("* * *", "wrong number of fields"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 */20 2 MON#5", "never due"),
        ("", "wrong number of fields"),
    ],
)
def test_wrong_lines(line: str, what: str) -> None:
    """A line that is none, or is never due, is refused with the reason."""
    with pytest.raises(ValueError, match=what):
        Cron(line)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe"])
def test_unknown_time_zones(zone: str) -> None:
    """A time zone that is not there is refused with the remedy."""
    with pytest.raises(ValueError, match=r"no time zone .* tzdata"):
        Cron("* * * * *", zone)


def test_leap_days_are_found() -> None:
    """A line that is due every four years finds its days, over a year 2100 that has none."""
    days = dues(Cron("0 0 29 2 *"), at(2095, 1, 1), at(2105, 1, 1))
    assert [datetime.fromtimestamp(day / 1000, UTC).year for day in days] == [2096, 2104]

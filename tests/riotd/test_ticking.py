import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.schedules import Cron, Every
from riotd.sources.ticking import AT_ONCE, Clockwork, Now, Tick, Timetable
from riotd.timetables import Row, WrongRow

MINUTE = 60_000
START = 1_700_000_040_000  # a full minute


def now(passed: int, *, set_by: int = 0) -> Now:
    """Both clocks so many milliseconds after the start, the wall clock set by so many."""
    return Now(START + passed + set_by, passed)


def minutely(**settings: int | bool | None) -> Clockwork:
    return Clockwork(Every(MINUTE), now(0), **settings)  # type: ignore[arg-type]


def taken(clockwork: Clockwork, at: Now) -> Tick:
    (tick,) = clockwork.take(at)
    return tick


def row(line: int, seconds: int, *, stretch: int = 10) -> Row:
    return Row(line, 100 + line, seconds * 1000, stretch, stretch + 5)


def test_a_tick_stands_for_the_time_since_the_one_before() -> None:
    """Nothing is due before its time; then one tick, with the stretch that ended then, and no second one."""
    clock = minutely()
    assert clock.take(now(MINUTE - 1)) == []
    assert taken(clock, now(MINUTE + 7)) == Tick(1, START + MINUTE, START, START + MINUTE)
    assert clock.take(now(MINUTE + 8)) == []
    assert taken(clock, now(2 * MINUTE)) == Tick(2, START + 2 * MINUTE, START + MINUTE, START + 2 * MINUTE)


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=30))
def test_stretches_leave_nothing_out(steps: list[int]) -> None:
    """Looked at whenever, the stretches of successive ticks meet, and every tick that was due is in one of them."""
    clock, passed, ticks = minutely(), 0, []
    for step in steps:
        passed += step
        ticks += clock.take(now(passed))
    ends = [START, *(tick.end for tick in ticks)]
    assert [tick.start for tick in ticks] == ends[:-1]
    assert ends[-1] == START + passed // MINUTE * MINUTE
    assert sum(1 + tick.missed for tick in ticks) == passed // MINUTE


def test_missed_ticks_become_one() -> None:
    """After three minutes without a look there is one tick for all of them, at the time of the last."""
    assert taken(minutely(), now(3 * MINUTE + 5)) == Tick(1, START + 3 * MINUTE, START, START + 3 * MINUTE, 2)


def test_waiting_is_for_the_next_one() -> None:
    """It says how long until the next tick, and nothing when that is due."""
    clock = minutely()
    assert clock.wait(now(MINUTE - 40)) == 40
    assert clock.wait(now(MINUTE + 40)) == 0


def test_at_start() -> None:
    """A tick at the start stands for the latest stretch that has ended; the next one goes on from there."""
    clock = Clockwork(Every(MINUTE), now(30_000), at_start=True)
    assert taken(clock, now(30_000)) == Tick(1, START, START - MINUTE, START)
    assert taken(clock, now(MINUTE)) == Tick(2, START + MINUTE, START, START + MINUTE)


def test_not_at_start() -> None:
    """Without it the first tick is the next one due, and its stretch is whole, though it began before the start."""
    clock = Clockwork(Every(MINUTE), now(30_000))
    assert taken(clock, now(MINUTE)) == Tick(1, START + MINUTE, START, START + MINUTE)


def test_a_window_longer_than_the_interval() -> None:
    """A window reaches back as far as it says, from the first tick that was missed where there are several."""
    clock = minutely(window=10 * MINUTE)
    assert taken(clock, now(MINUTE)).start == START - 9 * MINUTE
    assert taken(clock, now(4 * MINUTE)) == Tick(2, START + 4 * MINUTE, START - 8 * MINUTE, START + 4 * MINUTE, 2)


def test_clock_set_forward() -> None:
    """When the wall clock is set forward, one tick stands for all the time that was left out."""
    clock = minutely()
    assert taken(clock, now(1000, set_by=10 * MINUTE)) == Tick(
        1, START + 10 * MINUTE, START, START + 10 * MINUTE, missed=9
    )
    assert clock.set_back == 0


def test_clock_set_back_a_little() -> None:
    """Set back by less than a tick, no tick comes twice, and the next stretch has the time that comes twice."""
    clock = minutely()
    taken(clock, now(MINUTE + 1000))
    assert clock.take(now(MINUTE + 2000, set_by=-30_000)) == []
    again = START + MINUTE + 1000 - 30_000
    assert taken(clock, now(2 * MINUTE + 30_000, set_by=-30_000)) == Tick(
        2, START + 2 * MINUTE, again, START + 2 * MINUTE
    )
    assert clock.set_back == 1
    assert taken(clock, now(3 * MINUTE + 30_000, set_by=-30_000)).start == START + 2 * MINUTE


def test_clock_set_back_a_lot() -> None:
    """Set back by an hour, ticks go on at once by the new time, instead of waiting for an hour."""
    clock, hour = minutely(), 3_600_000
    taken(clock, now(MINUTE))
    assert clock.take(now(MINUTE + 1000, set_by=-hour)) == []
    due = START + 2 * MINUTE - hour
    assert taken(clock, now(2 * MINUTE, set_by=-hour)) == Tick(2, due, due - MINUTE, due)


def test_a_slowed_clock_is_not_set_back() -> None:
    """A wall clock that NTP slows by half a part in a thousand counts as going on."""
    clock = minutely()
    ticks = [tick for look in range(300) for tick in clock.take(now(look * 1000, set_by=-look // 2))]
    assert clock.set_back == 0
    assert [tick.start for tick in ticks] == [START + minute * MINUTE for minute in range(len(ticks))]


def test_stretches_of_a_night_without_its_hour() -> None:
    """An hourly line of cron in spring has stretches of an hour each, by the sun's time."""
    begin = 1_774_738_800_000  # 2026-03-29 00:00 in Berlin
    clock = Clockwork(Cron("0 * * * *", "Europe/Berlin"), Now(begin, 0))
    ticks = [tick for look in range(0, 5 * 3600, 60) for tick in clock.take(Now(begin + look * 1000, look * 1000))]
    assert [tick.end - tick.start for tick in ticks] == [3_600_000] * 4


def test_rows_by_their_distances() -> None:
    """A timetable's first row is due at the start, the others as far behind it as their timestamps say, over speed."""
    timetable = Timetable([row(1, 1000), row(2, 1120), row(3, 1240)], now(0), speed=60)
    assert timetable.take(now(0)) == [Tick(101, START, 10, 15)]
    assert timetable.wait(now(500)) == 1500
    assert timetable.take(now(1999)) == []
    assert timetable.take(now(4005)) == [Tick(102, START + 2000, 10, 15), Tick(103, START + 4000, 10, 15)]
    assert timetable.wait(now(4005)) is None


def test_rows_keep_their_pace_when_the_clock_is_set() -> None:
    """Setting the wall clock does not move the rows, only what they say the time is."""
    timetable = Timetable([row(1, 0), row(2, 10)], now(0))
    timetable.take(now(0))
    assert timetable.take(now(9_999, set_by=3_600_000)) == []
    assert timetable.take(now(10_000, set_by=-3_600_000)) == [Tick(102, START + 10_000 - 3_600_000, 10, 15)]


def test_repetition() -> None:
    """Repeated, the first row follows the last one at the distance between the last two, time after time."""
    timetable = Timetable([row(1, 0), row(2, 60), row(3, 90)], now(0), repeat=True)
    ticks = timetable.take(now(300_000))
    assert [(tick.time - START) // 1000 for tick in ticks if isinstance(tick, Tick)] == [
        0, 60, 90, 120, 180, 210, 240, 300,
    ]  # fmt: skip
    assert timetable.wait(now(300_000)) == 30_000


def test_no_time_to_repeat_in() -> None:
    """Rows that are all at one time can't be repeated: that would never end."""
    with pytest.raises(ValueError, match="same time"):
        Timetable([row(1, 5), row(2, 5)], now(0), repeat=True)


def test_wrong_rows_come_with_the_one_above() -> None:
    """A wrong row holds up nothing and is given in its place."""
    wrong = WrongRow(2, "x", "no row")
    timetable = Timetable([row(1, 0), wrong, row(3, 10)], now(0))
    assert timetable.take(now(0)) == [Tick(101, START, 10, 15), wrong]
    assert timetable.take(now(10_000)) == [Tick(103, START + 10_000, 10, 15)]


def test_rows_at_once_are_bounded() -> None:
    """However many rows are late, each look gives a bounded number, and none is left out."""
    timetable = Timetable([row(line, 0) for line in range(AT_ONCE + 1)], now(0))
    assert [len(timetable.take(now(0))) for _ in range(3)] == [AT_ONCE, 1, 0]

"""Panes and sessions against windows the slow way, and at the edges."""

from collections.abc import Mapping, Sequence
from math import ceil, nextafter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks.algorithms.event_windows import Allowance, EventWindows, TooLate, Window
from riot_tasks.algorithms.panes import Panes
from riot_tasks.algorithms.sessions import Sessions
from riot_tasks.algorithms.summary import Summary
from tests.riot_tasks.naive_windows import LATE, Aligned, Grouped, Said, Setting

QUARTERS = 4  # times are multiples of a quarter of a second, so that the slow way's sums are exact


def _made(of: Setting) -> EventWindows:
    allowance = Allowance(of.delay, of.lateness)
    if of.gap:
        return Sessions(gap=of.gap, allowance=allowance, quantiles=True)
    panes = round(of.size / of.every)
    return Panes(panes=panes, every=of.every, offset=of.offset, allowance=allowance, quantiles=True)


def _said(windows: Sequence[Window]) -> Said:
    return [(window.start, window.end, window.late, _readings(window.fields["x"])) for window in windows]


def _readings(summary: Summary) -> list[float]:
    """What is in a summary: all numbers, while its quantiles are exact."""
    state = summary.state()
    assert summary.count() == len(state[4]["recent"])
    assert summary.sum() == sum(state[4]["recent"])
    return sorted(state[4]["recent"])


def _taken(windows: EventWindows, time: float, reading: float) -> Said:
    try:
        return _said(windows.update(time, {"x": reading}))
    except TooLate:
        return LATE


def _restarted(windows: EventWindows, of: Setting) -> EventWindows:
    fresh = _made(of)
    fresh.load(msgspec.msgpack.decode(msgspec.msgpack.encode(windows.state())))
    return fresh


quarters = st.integers(0, 40).map(lambda number: number / QUARTERS)
lengths = st.integers(1, 24).map(lambda number: number / QUARTERS)
tumbling = st.builds(
    lambda size, offset, delay, lateness: Setting(size, size, min(offset, size / 2), 0.0, delay, lateness),
    *(lengths, quarters, quarters, quarters),
)
sliding = st.builds(
    lambda every, panes, offset, delay, lateness: Setting(every * panes, every, offset, 0.0, delay, lateness),
    *(lengths, st.integers(2, 6), quarters, quarters, quarters),
)
session = st.builds(
    lambda gap, delay, lateness: Setting(0.0, 0.0, 0.0, gap, delay, lateness), lengths, quarters, quarters
)
steps = st.lists(st.integers(-60, 24) | st.integers(-8, 8) | st.just(1), min_size=1, max_size=60)
"""Quarters of a second from a steady clock, or back, or on from the latest time."""


def _times(steps: list[int]) -> list[float]:
    """A clock that goes on by the steps that are above 0, and times that are behind it by the others."""
    clock, times = 1000 * QUARTERS, []
    for step in steps:
        clock += max(step, 0)
        times.append((clock + min(step, 0)) / QUARTERS)
    return times


@settings(max_examples=300)
@given(of=tumbling | sliding | session, steps=steps, restarts=st.booleans())
def test_results_are_those_of_the_slow_way(*, of: Setting, steps: list[int], restarts: bool) -> None:
    """Windows, their bounds, readings and order, corrections, and what is late are as found by looking at everything.

    Of all kinds, with readings in any order; also where somebody else goes on, from the state, after every reading.
    """
    fast, slow = _made(of), Grouped(of) if of.gap else Aligned(of)
    for reading, time in enumerate(_times(steps)):
        assert _taken(fast, time, reading) == slow.take(time, reading), (time, reading)
        if restarts:
            fast = _restarted(fast, of)
    assert _said(fast.finish()) == slow.finish()
    assert _said(fast.finish()) == []


@settings(max_examples=150)
@given(tumbling | sliding | session, steps, st.data())
def test_time_may_pass_without_readings(of: Setting, steps: list[int], data: st.DataObject) -> None:
    """Times without numbers, and ends in between after which readings go on, are as the slow way has them."""
    fast, slow = _made(of), Grouped(of) if of.gap else Aligned(of)
    for reading, time in enumerate(_times(steps)):
        match data.draw(st.sampled_from(["reading", "reading", "time", "end"])):
            case "reading":
                assert _taken(fast, time, reading) == slow.take(time, reading), (time, reading)
            case "time":
                assert _said(fast.advance(time)) == slow.advance(time - of.delay)
            case _:
                assert _said(fast.finish()) == slow.finish()


@settings(max_examples=150)
@given(tumbling | sliding | session, steps, st.data())
def test_windows_are_as_few_as_promised(of: Setting, steps: list[int], data: st.DataObject) -> None:
    """Never more panes or sessions are kept than their docstrings say, whatever leaps time makes, ends in between."""
    windows = _made(of)
    late = of.delay + of.lateness
    most = 1 + ceil(late / of.gap) if of.gap else of.size / of.every + 1 + ceil(late / of.every)
    for time in _times(steps):
        _taken(windows, time + data.draw(st.sampled_from([0.0, 0.0, 30.0])), 1.0)
        assert len(windows.state()["sessions" if of.gap else "panes"]) <= most
        if data.draw(st.booleans()):
            windows.finish()


@given(st.integers(1, 5), st.sampled_from([0.1, 0.2, 0.001, 0.7, 1.1]), st.integers(10**9, 10**10))
def test_a_reading_at_a_bound_is_in_the_window_that_begins_there(panes: int, every: float, number: int) -> None:
    """Also where neither the bound nor the length is a binary number; the double before it is in the one before."""
    bound = round(number * every, 6)
    for time, start in ((bound, bound), (nextafter(bound, 0.0), round((number - 1) * every, 6))):
        windows = Panes(panes=panes, every=every)
        windows.update(time, {"x": 1.0})
        found = windows.finish()
        assert len(found) == panes
        assert found[-1].start == start
        assert all(window.start <= time < window.end for window in found)


@pytest.mark.parametrize(
    "of", [Setting(8.0, 8.0), Setting(8.0, 2.0), Setting(gap=8.0)], ids=["tumbling", "sliding", "gap"]
)
def test_a_window_is_over_when_the_watermark_is_at_its_end_and_the_lateness(of: Setting) -> None:
    """A reading whose last window ends just there is late; a millisecond before it gives a corrected result."""
    windows = _made(of._replace(lateness=4.0))
    windows.update(0.0, {"x": 0.0})
    windows.update(11.999, {"x": 1.0})
    assert _taken(windows, 0.0, 2.0) == [(0.0, 8.0, True, [0.0, 2.0])]
    windows.advance(12.0)
    assert _taken(windows, 0.0, 3.0) == LATE


def test_a_session_stays_corrected_while_it_grows() -> None:
    """One that was given, went on, and then took in another, is given as late, once, with the readings of all."""
    windows = Sessions(gap=10.0, allowance=Allowance(lateness=30.0))
    times = [0.0, 24.0, 9.0, 18.0, -5.0]
    said = [_taken_times(windows, time) for time in times]
    assert said == [[], [(0.0, 10.0, False)], [(0.0, 19.0, True)], [], []]
    assert [window[:3] for window in windows.finish()] == [(-5.0, 34.0, True)]


def _taken_times(windows: EventWindows, time: float) -> list[tuple[float, float, bool]]:
    return [(window.start, window.end, window.late) for window in windows.update(time, {"x": time})]


def test_numbers_that_leap_forward_end_each_window_once() -> None:
    """A time a million windows later gives those that have readings, in order, and no others."""
    windows = Panes(panes=3, every=10.0)
    windows.update(5.0, {"x": 1.0})
    found = windows.update(1e7, {"x": 2.0})
    assert [(window.start, window.end) for window in found] == [(-20.0, 10.0), (-10.0, 20.0), (0.0, 30.0)]


def test_fields_are_apart() -> None:
    """Each field has its own summary, those of merged windows too, in the order they first came."""
    for windows in (Panes(panes=2, every=10.0), Sessions(gap=20.0)):
        for time, numbers in [(5.0, {"a": 1.0}), (12.0, {"b": 2.0, "a": 3.0})]:
            windows.update(time, numbers)
        window = windows.finish()[-2 if isinstance(windows, Panes) else -1]
        assert _sums(window.fields) == {"a": 4.0, "b": 2.0}


def _sums(fields: Mapping[str, Summary]) -> dict[str, float]:
    return {name: summary.sum() for name, summary in fields.items()}


def test_how_late_is_said() -> None:
    """It is counted from the end of the last window plus the lateness allowed."""
    windows = Panes(panes=1, every=10.0, allowance=Allowance(delay=1.0, lateness=5.0))
    windows.update(100.0, {"x": 1.0})
    with pytest.raises(TooLate, match="is 4 s too late") as error:
        windows.update(85.0, {"x": 1.0})
    assert error.value.seconds == 4.0


@pytest.mark.parametrize("windows", [Panes(panes=2, every=1.0), Sessions(gap=5.0)])
def test_what_is_late_changes_nothing(windows: EventWindows) -> None:
    """A reading that is refused leaves the state as it was."""
    windows.update(100.0, {"x": 1.0})
    before = windows.state()
    with pytest.raises(TooLate):
        windows.update(50.0, {"x": 1.0, "y": 2.0})
    assert windows.state() == before

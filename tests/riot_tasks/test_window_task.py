from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from riot_tasks import Aside, BadRecord, Record, Value
from riot_tasks.statistics.window import Window
from riot_tasks.testing import check_task
from riot_tasks.testing.cases import CLOCKS


def _record(number: int, time: float, **values: Value) -> Record:
    return Record(number, f"dev{number}", time, values, {"a": "Cel", "other": "m"}, {"bn": str(number)})


def _fed(task: Window, records: Iterable[Record]) -> list[list[Record]]:
    return [list(task.process(record)) for record in records]


def _at(task: Window, *times: float) -> list[list[dict[str, Value]]]:
    """The values of the results that come with readings at these times; each reading is its time."""
    said = _fed(task, [_record(number, time, a=time) for number, time in enumerate(times)])
    return [[result.values for result in results] for results in said]


def test_minutes_are_numpys(series: list[float]) -> None:
    """Of a real series, read twice a minute, each minute's aggregates are NumPy's."""
    names = ["mean", "min", "max", "count", "sum", "p5", "p95"]
    task = Window(["a"], size="5m", aggregates=names)
    minutes = defaultdict(list)
    results = []
    for number, reading in enumerate(series):
        time = 1.7e9 + 37.0 * number
        minutes[time // 300].append(reading)
        results += task.process(_record(number, time, a=reading))
    results += task.flush()
    assert len(results) == len(minutes)
    for result, (minute, numbers) in zip(results, minutes.items(), strict=True):
        assert result.meta["window_start"] == f"{minute * 300:.0f}"
        quantiles = np.quantile(numbers, [0.05, 0.95])
        expected = [np.mean(numbers), min(numbers), max(numbers), len(numbers), sum(numbers), *quantiles]
        assert list(result.values) == [f"a_{name}" for name in names]
        assert list(result.values.values()) == pytest.approx(expected, rel=1e-12)


def test_a_result_has_the_head_of_the_record_that_ended_it() -> None:
    """Id, source and meta are that record's, the time is the window's last millisecond, and meta says its bounds."""
    said = _fed(Window(["a"], size=10, offset=2.5), [_record(1, 5.0, a=1.0), _record(2, 31.0, a=9.0)])
    meta = {"bn": "2", "window_start": "2.5", "window_end": "12.5"}
    assert said == [[], [Record(2, "dev2", 12.499, {"a": 1.0}, {"a": "Cel"}, meta)]]


def test_several_aggregates_have_names_of_their_own() -> None:
    """One aggregate goes by the field's name, several by the field's and theirs; a count has no unit."""
    task = Window(["b", "a"], size=10, aggregates=["max", "count", "p99.9"])
    list(task.process(_record(1, 5.0, a=1, b="2")))
    (result,) = task.flush()
    assert list(result.values) == ["b_max", "b_count", "b_p99.9", "a_max", "a_count", "a_p99.9"]
    assert list(result.values.values()) == [2.0, 1, 2.0, 1.0, 1, 1.0]
    assert result.units == {"a_max": "Cel", "a_p99.9": "Cel"}


def test_records_of_one_field_each_make_one_result() -> None:
    """What was taken apart is gathered by window, with the units that each field's records brought."""
    parts = [Record(n, "dev7", n * 1.0, {name: 1.0}, {name: f"u{name}"}) for n, name in enumerate("abcab")]
    task = Window(size=10)
    assert _fed(task, parts) == [[]] * 5
    (result,) = task.flush()
    assert result.values == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert result.units == {"a": "ua", "b": "ub", "c": "uc"}


def test_units_may_change() -> None:
    """A device that says another unit from some time on has it in the results that end after that."""
    task = Window(size=10)
    units = [{"a": "Cel"}, {"a": "Cel", "b": "m"}, {}, {"a": "K"}, {"b": "cm"}]
    said = [list(task.process(Record(n, "dev7", 10.0 * n, {"a": 1.0}, unit))) for n, unit in enumerate(units)]
    assert [result.units for results in said for result in results] == [{"a": "Cel"}] * 3 + [{"a": "K"}]


def test_a_reading_at_the_end_is_in_the_next_window() -> None:
    """A window has its start, and not its end."""
    assert _at(Window(["a"], size=10), 0.0, 9.999, 10.0, 20.0) == [[], [], [{"a": 4.9995}], [{"a": 10.0}]]


def test_windows_wait_for_the_delay() -> None:
    """Readings may come out of order by the delay, and each counts in its own window."""
    task = Window(["a"], size=10, delay="5s", aggregates=["sum"])
    assert _at(task, 9.0, 14.9, 3.0, 15.0) == [[], [], [], [{"a": 12.0}]]


def test_sliding_windows_overlap() -> None:
    """Each reading is in as many windows as begin in one, and they end in order."""
    task = Window(["a"], kind="sliding", size=30, every=10, aggregates=["sum"])
    assert _at(task, 5.0, 15.0, 35.0) == [[], [{"a": 5.0}], [{"a": 20.0}, {"a": 20.0}]]
    assert [result.meta["window_start"] for result in task.flush()] == ["10", "20", "30"]


def test_sessions_end_with_a_pause() -> None:
    """A session has all readings without a gap between them, and ends that long after the last."""
    task = Window(["a"], kind="session", gap=10, aggregates=["count"])
    assert _at(task, 0.0, 9.0, 12.0, 22.0) == [[], [], [], [{"a": 3}]]
    (last,) = task.flush()
    assert (last.meta["window_start"], last.meta["window_end"], last.time) == ("22", "32", 31.999)


def test_a_late_record_corrects_the_result() -> None:
    """Within the lateness the whole result comes again, marked, and then no more."""
    task = Window(["a"], size=10, lateness=20, aggregates=["sum"])
    said = _fed(task, [_record(n, time, a=1.0) for n, time in enumerate([5.0, 10.0, 6.0, 29.9, 7.0, 30.0, 8.0])])
    assert [[(r.id, r.values["a"], r.meta.get("firing", "")) for r in results] for results in said] == [
        *([], [(1, 1.0, "")], [(2, 2.0, "late")], [(3, 1.0, "")], [(4, 3.0, "late")], [(5, 1.0, "")], []),
    ]


@pytest.mark.parametrize("late", ["drop", "aside"])
def test_late_data_go_where_they_are_told(late: str) -> None:
    """What is too late is passed over, or given as it came for the output `late`; and counted."""
    task = Window(["a"], size=10, late=late)
    task.counts = Counter()
    record = _record(2, 5.0, a=1.0, b="x")
    _, _, given = _fed(task, [_record(1, 5.0, a=1.0), _record(2, 10.0, a=1.0), record])
    expected = Aside(record.id, record.source, record.time, record.values, record.units, record.meta, "late")
    assert given == ([expected] if late == "aside" else [])
    assert task.counts == {"late": 1}


def test_late_data_can_be_refused() -> None:
    """With `reject` a late record is a BadRecord that says how late, and is counted."""
    task = Window(["a"], size=10, lateness=2.0, late="reject")
    task.counts = Counter()
    _fed(task, [_record(1, 5.0, a=1.0), _record(2, 15.5, a=1.0)])
    with pytest.raises(BadRecord, match=r"time: 5 is 3\.5 s too late: its window is over"):
        _fed(task, [_record(3, 5.0, a=1.0)])
    assert task.counts == {"late": 1}


def test_every_record_tells_the_time() -> None:
    """One without the fields, or with nothing in them, ends windows, and is never late itself."""
    task = Window(["a"], size=10, late="reject")
    said = _fed(task, [_record(1, 5.0, a=1.0), _record(2, 11.0, b=1.0), _record(3, 1.0, a=None), _record(4, 12.0, a=2)])
    assert [[result.values for result in results] for results in said] == [[], [{"a": 1.0}], [], []]
    assert [result.values for result in _fed(task, [_record(5, 20.0, a=None)])[0]] == [{"a": 2.0}]


def test_what_is_refused_does_not_tell_the_time() -> None:
    """A record with a text where a number should be leaves the window open."""
    task = Window(["a"], size=10)
    _fed(task, [_record(1, 5.0, a=1.0)])
    with pytest.raises(BadRecord, match="a: 'cold' is not a number"):
        _fed(task, [_record(2, 99.0, a="cold")])
    assert _at(task, 6.0) == [[]]


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1e12])
def test_a_time_that_is_none_is_refused(time: float) -> None:
    """Times that no clock has make a BadRecord that names the time."""
    with pytest.raises(BadRecord, match=r"time: .* is not within 1e"):
        _fed(Window(size=10), [_record(1, time, a=1.0)])


def test_fields_are_bounded() -> None:
    """Without a list of fields one more than max_fields is refused, and named."""
    task = Window(size=10, max_fields=2)
    _fed(task, [_record(1, 5.0, a=1.0, b=2.0)])
    with pytest.raises(BadRecord, match="c: is one field more than max_fields, 2; list those to watch in fields"):
        _fed(task, [_record(2, 6.0, a=1.0, c=1.0)])
    assert [result.values for result in task.flush()] == [{"a": 1.0, "b": 2.0}]


def test_one_wrong_clock_ends_no_windows() -> None:
    """A record far ahead of the others goes to the output `ahead`, counted, and what follows is as if it had not."""
    task = Window(["a"], size=10, max_ahead="1h")
    task.counts = Counter()
    said = _fed(task, [_record(n, time, a=1.0) for n, time in enumerate([5.0, 1e10, 6.0, 2e9, 3600.0])])
    assert [type(result) for results in said for result in results] == [Aside, Aside, Record]
    assert [(r.id, r.output) for results in said for r in results if isinstance(r, Aside)] == [
        (1, "ahead"),
        (3, "ahead"),
    ]
    assert task.counts == {"ahead": 2}


def test_a_clock_that_was_set_is_believed_the_second_time() -> None:
    """Of a device that was in 1970 the second message from today counts, and ends what was open."""
    task = Window(["a"], size=10, max_ahead="1h")
    said = _at(task, 5.0, 1.7e9, 1.7e9 + 3600.0, 1.7e9 + 3610.0)
    assert said == [[], [{"a": 1.7e9}], [{"a": 5.0}], [{"a": 1.7e9 + 3600}]]


def test_a_message_is_no_witness_for_itself() -> None:
    """Two records of one message far ahead are both put aside."""
    task = Window(["a"], size=10, max_ahead=60)
    _fed(task, [_record(1, 5.0, a=1.0)])
    said = _fed(task, [_record(2, 1e9, a=1.0), _record(2, 1e9, a=2.0), _record(3, 1e9 + 61.0, a=1.0)])
    assert [[type(result) for result in results] for results in said] == [[Aside]] * 3


def test_records_far_ahead_without_the_fields_say_nothing() -> None:
    """They are no readings that anybody would miss, so they are not put aside; they end nothing."""
    task = Window(["a"], size=10, max_ahead=60)
    assert _fed(task, [_record(1, 5.0, a=1.0), _record(2, 1e9, b=1.0), _record(3, 6.0, a=1.0)]) == [[], [], []]


def test_windows_end_when_no_record_comes() -> None:
    """On idle what is open is given, under the last record's id; what comes before its end is late then."""
    task = Window(["a"], size=10, idle_timeout="30s", late="aside")
    assert task.idle_timeout == 30.0
    assert list(task.on_idle()) == []
    _fed(task, [_record(7, 5.0, a=1.0)])
    (result,) = task.on_idle()
    assert (result.id, result.source, result.values, result.meta["window_end"]) == (7, "dev7", {"a": 1.0}, "10")
    assert list(task.on_idle()) == []
    assert [[type(result) for result in results] for results in _fed(task, [_record(8, 6.0, a=1.0)])] == [[Aside]]
    assert _at(task, 10.0) == [[]]


def test_after_a_pause_any_clock_is_believed() -> None:
    """A device that was away for longer than max_ahead loses no reading, if its windows had ended by then."""
    task = Window(["a"], size=10, max_ahead=60, idle_timeout=30)
    assert _at(task, 5.0) == [[]]
    assert len(list(task.on_idle())) == 1
    assert _at(task, 86400.0, 86410.0) == [[], [{"a": 86400.0}]]


def test_minutes_are_in_the_right_hour() -> None:
    """Windows of windows: the sum of an hour's minutes is the hour's sum, none in the next one."""
    minutes, hours = (Window(["a"], size=size, aggregates=["sum"]) for size in ("1m", "1h"))
    records = [_record(number, 10.0 * number, a=1.0) for number in range(800)]
    sums = [
        hour.values["a"] for record in records for minute in minutes.process(record) for hour in hours.process(minute)
    ]
    assert sums == [360.0, 360.0]


def test_texts_and_numbers_of_seconds_are_the_same() -> None:
    """A duration may be written either way."""
    texts = Window(kind="sliding", size="1h30m", every="10m", delay="500ms", lateness="1d", max_ahead="2 h")
    assert repr(texts) == repr(Window(kind="sliding", size=5400, every=600, delay=0.5, lateness=86400, max_ahead=7200))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "size: tumbling windows need it; write 10s, 1m, 1h30m"),
        ({"size": 0}, "size: must be a duration from 0.001 to 1e.11 seconds, like 90, 5s or 1h30m"),
        ({"size": "ten"}, "size: must be a duration"),
        ({"size": 10, "every": 5}, "every: tumbling windows have none, but size; is it another kind?"),
        ({"size": 10, "gap": 5}, "gap: tumbling windows have none, but size"),
        ({"kind": "hopping", "size": 10}, "kind: must be 'tumbling' or 'sliding' or 'session'"),
        ({"kind": "sliding", "size": 10}, "every: sliding windows need it"),
        ({"kind": "sliding", "size": 10, "every": 4}, "every: size must be a multiple of it"),
        ({"kind": "sliding", "size": 10, "every": 30}, "every: size must be a multiple of it"),
        ({"kind": "session", "size": 10}, "size: session windows have none, but gap"),
        ({"kind": "session"}, "gap: session windows need it"),
        ({"size": 10, "offset": "10s"}, "offset: must be below size, 10 s"),
        ({"kind": "session", "gap": 10, "offset": "1h"}, "offset: session windows are not aligned to anything"),
        ({"size": 10, "offset": -1}, "offset: must be a duration from 0"),
        ({"size": 10, "aggregates": ["mean", "median"]}, "aggregates: 'median' is none of mean, min, max, count, sum"),
        ({"size": 10, "aggregates": ["p101"]}, "aggregates: 'p101' is none of"),
        ({"size": 10, "aggregates": []}, "aggregates: "),
        ({"size": 10, "late": "count"}, "late: must be 'drop' or 'reject' or 'aside'"),
        ({"size": 10, "max_ahead": 0}, "max_ahead: must be a duration"),
        ({"size": 10, "idle_timeout": True}, "idle_timeout: must be a duration"),
        ({"kind": "sliding", "size": "1h", "every": "1s"}, "max_open: a key may have 3601 windows open at once"),
        ({"kind": "session", "gap": 1, "lateness": "1h"}, "max_open: a key may have 3601 windows open at once"),
        ({"size": 10, "delay": 10, "lateness": 11, "max_open": 4}, r"max_open: .* 5 windows .* \(is 4\)"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        Window(**params)


def test_it_keeps_the_contract() -> None:
    """It passes the public battery: all kinds of windows, late and corrected and put aside, any clocks."""

    def record(number: int, time: float) -> Record:
        values = {"temperature": 20.0 + number % 7, "humidity": str(40 + number % 5), "light": number % 4 or None}
        return Record(number, f"dev{number % 3}", time, {**values, "kind": "x"}, {"temperature": "Cel"}, {"bn": "urn:"})

    steady = [record(number, 2.0 * number - 1.5 * (number * 7 % 5)) for number in range(40)]
    behind = [record(40 + number, 80.0 - 9.0 * number) for number in range(6)]
    leaps = [record(50, 1e6), record(51, 90.0), record(52, 2e6), record(53, 2e6 + 5), record(54, CLOCKS[-1])]
    records = [*steady, *behind, *leaps, Record(60, "dev1", 2e6 + 9, {"other": "x"}), record(61, 100.0)]
    two = {"fields": ["temperature", "humidity"]}
    out_of_order = {"delay": 3.0, "lateness": 30.0, "late": "aside"}
    examples = [
        {"size": 10},
        {**two, "size": 10.0, **out_of_order, "aggregates": ["mean", "p50", "count"], "max_ahead": 100.0},
        {"kind": "sliding", "size": 12, "every": 4, "late": "reject", "max_ahead": 60.0, "aggregates": ["p95"]},
        {**two, "kind": "sliding", "size": 12, "every": 4, "offset": 1.0, **out_of_order},
        {"kind": "session", "gap": 3.0},
        {**two, "kind": "session", "gap": 2.0, **out_of_order, "aggregates": ["min", "p99.9"], "idle_timeout": 5.0},
    ]
    check_task(Window, [(params, records) for params in examples])

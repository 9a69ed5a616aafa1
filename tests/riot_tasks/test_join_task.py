from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record, Value
from riot_tasks.parse.join import Join
from riot_tasks.parse.senml_parse import SenmlParse
from riot_tasks.testing import check_task
from riotd.dataflow import Outlet, Plan, Stage
from riotd.messages import Portion
from riotd.shard import Shard
from tests.riot_tasks.conftest import SAMPLE

FIELDS = ["temperature", "humidity", "light"]
CITY = ["source", "longitude", "latitude", "temperature", "humidity", "light", "dust", "airquality_raw"]


def _part(number: int, time: float = 0.0, **values: Value) -> Record:
    return Record(number, "dev7", time, values)


def _fed(task: Join, parts: Iterable[Record]) -> list[Record]:
    return [result for part in parts for result in task.process(part)]


def test_a_message_is_complete_when_all_fields_are_there() -> None:
    """The last part makes the result, in the order of fields, with the first part's time and meta and all units."""
    parts = [
        Record(7, "dev7", 5.0, {"light": 800.0}, {"light": "lx", "x": "m"}, {"bn": "a"}),
        Record(7, "dev7", 6.0, {"temperature": 20.0}, {"temperature": "Cel"}, {"bn": "b"}),
        Record(7, "dev7", 7.0, {"humidity": "50"}),
    ]
    units = {"light": "lx", "temperature": "Cel"}
    task = Join(FIELDS)
    assert [_fed(task, [part]) for part in parts[:2]] == [[], []]
    (result,) = task.process(parts[2])
    assert result == Record(7, "dev7", 5.0, {"temperature": 20.0, "humidity": "50", "light": 800.0}, units, {"bn": "a"})
    assert list(result.values) == FIELDS
    assert task.snapshot()["open"] == []


def test_null_is_as_good_as_a_value() -> None:
    """A field filtered out before, which comes as None, does not keep the message open."""
    results = _fed(Join(FIELDS), [_part(1, temperature=None), _part(1, humidity=None, light=1.0)])
    assert [result.values for result in results] == [{"temperature": None, "humidity": None, "light": 1.0}]


def test_other_fields_are_left_out() -> None:
    """A part without any of the fields says nothing, and what a part has beside them is dropped."""
    task = Join(["temperature", "light"])
    assert _fed(task, [_part(1, dust=3.0), _part(1)]) == []
    assert task.snapshot()["open"] == []
    assert [r.values for r in _fed(task, [_part(1, light=1.0, dust=3.0), _part(1, temperature=2.0)])] == [
        {"temperature": 2.0, "light": 1.0}
    ]


@given(st.integers(1, 6), st.randoms(use_true_random=False))
def test_messages_may_come_mixed(messages: int, dice: Random) -> None:
    """In whatever order the parts of several messages come, each message is joined, once, from its own parts."""
    parts = [_part(n, **{field: f"{field}{n}"}) for n in range(messages) for field in FIELDS]
    dice.shuffle(parts)
    results = _fed(Join(FIELDS), parts)
    assert sorted(result.id for result in results) == list(range(messages))
    assert all(result.values == {field: f"{field}{result.id}" for field in FIELDS} for result in results)


def test_readings_of_several_times_can_be_kept_apart() -> None:
    """With same_time a message of several times becomes a record for each; without, the second reading is refused."""
    parts = [_part(1, time, **{field: time}) for field in FIELDS for time in (1.0, 2.0)]
    results = _fed(Join(FIELDS, same_time=True), parts)
    assert [(r.time, r.values) for r in results] == [(time, dict.fromkeys(FIELDS, time)) for time in (1.0, 2.0)]
    task = Join(FIELDS)
    _fed(task, parts[:1])
    before = task.snapshot()
    with pytest.raises(BadRecord, match="temperature: came twice in message 1; same_time keeps readings"):
        _fed(task, parts[1:2])
    assert task.snapshot() == before


def test_an_incomplete_message_expires_by_time() -> None:
    """It goes when a part of another message is more than timeout later than its own first part, and not before."""
    task = Join(FIELDS, timeout=10.0, on_expiry="partial")
    assert _fed(task, [_part(1, 100.0, light=1.0), _part(1, 105.0, humidity=2.0), _part(2, 110.0, light=3.0)]) == []
    (partial,) = task.process(_part(3, 110.5, light=4.0))
    assert (partial.id, partial.time) == (3, 100.0)
    assert partial.values == {"temperature": None, "humidity": 2.0, "light": 1.0}
    assert partial.meta == {"message": "1", "missing": "temperature", "expired": "1"}


def test_a_message_does_not_expire_by_itself() -> None:
    """However long its parts take, a message is not ended by its own, and its last part completes it."""
    late = [_part(1, 0.0, light=1.0), _part(1, 1e6, humidity=2.0), _part(1, 2e6, temperature=3.0)]
    assert [result.values["light"] for result in _fed(Join(FIELDS, timeout=1.0), late)] == [1.0]


def test_a_clock_far_ahead_expires_nothing_for_ever() -> None:
    """After a record from the future the messages that follow in the right time are joined as ever."""
    task = Join(["temperature", "light"], timeout=10.0)
    _fed(task, [_part(1, 4e9, light=1.0)])
    for number in range(2, 100):
        assert len(_fed(task, [_part(number, number, light=1.0), _part(number, number, temperature=1.0)])) == 1


def test_an_incomplete_message_expires_by_number() -> None:
    """One open message more than max_open makes the oldest expire, whatever the time; without a timeout only that."""
    task = Join(FIELDS, timeout=None, max_open=2, on_expiry="partial")
    results = _fed(task, [_part(number, 1e6 * number, light=number) for number in range(1, 5)])
    assert [(result.id, result.values["light"], result.meta["message"]) for result in results] == [
        (3, 1, "1"),
        (4, 2, "2"),
    ]
    assert len(task.snapshot()["open"]) == 2


def test_what_expires_is_counted_when_dropped() -> None:
    """Dropped messages give nothing, but later results say how many there were."""
    task = Join(["temperature", "light"], max_open=1)
    assert _fed(task, [_part(number, light=1.0) for number in range(1, 5)]) == []
    (result,) = task.process(_part(4, temperature=2.0))
    assert (result.id, result.meta) == (4, {"expired": "3"})


@pytest.mark.parametrize(
    ("on_expiry", "expected"), [("drop", []), ("partial", [(1, "light"), (2, "temperature,humidity")])]
)
def test_the_end_is_the_end_of_what_is_open(on_expiry: str, expected: list[tuple[int, str]]) -> None:
    """At the end incomplete messages are given under their own ids if they are to be, and gone either way."""
    task = Join(FIELDS, on_expiry=on_expiry)
    _fed(task, [_part(1, temperature=1.0, humidity=2.0), _part(2, light=3.0)])
    assert [(result.id, result.meta["missing"]) for result in task.flush()] == expected
    assert (list(task.flush()), task.snapshot()["open"], task.snapshot()["expired"]) == ([], [], 2)


@pytest.mark.parametrize("on_expiry", ["drop", "partial"])
def test_what_expires_is_counted_for_the_stage(on_expiry: str) -> None:
    """Each message that expires, by number, by time or at the end, is counted as `expired`; complete ones are not."""
    task = Join(["temperature", "light"], max_open=2, timeout=10.0, on_expiry=on_expiry)
    task.counts = Counter()
    _fed(task, [_part(number, light=1.0) for number in range(3)])
    assert task.counts == {"expired": 1}
    _fed(task, [_part(1, temperature=1.0), _part(3, 11.0, light=1.0)])
    assert task.counts == {"expired": 2}
    list(task.flush())
    assert task.counts == {"expired": 3}


def test_the_last_message_expires_when_no_record_comes() -> None:
    """On idle all that is incomplete goes, each under its own id, and a part that comes later opens it anew."""
    task = Join(FIELDS, idle_timeout="30s", on_expiry="partial")
    assert task.idle_timeout == 30.0
    _fed(task, [_part(1, temperature=1.0, humidity=2.0), _part(2, light=3.0)])
    assert [(result.id, result.meta["missing"]) for result in task.on_idle()] == [
        (1, "light"),
        (2, "temperature,humidity"),
    ]
    assert list(task.on_idle()) == []
    assert _fed(task, [_part(1, light=3.0)]) == []


def test_a_silent_device_has_its_last_message_too() -> None:
    """In a shard the incomplete message goes with the first tick after `idle_timeout`, and shows in the figures."""
    stages = (
        Stage("parse", "senml_parse", {"explode": True}),
        Stage("row", "join", {"fields": FIELDS, "on_expiry": "partial", "idle_timeout": 30}, ("parse",)),
    )
    shard = Shard(Plan(stages, (Outlet("out", ("row",), "json"),)))
    pack = b'[{"bn": "dev7:", "bt": 1.7e9, "n": "light", "v": 800}]'
    shard.run(Portion(0, 1000.0, [5], ["dev7"], [pack]))
    early, due = (shard.run(Portion(1, now, [], [], [], tick=True)) for now in (1029.0, 1031.0))
    assert early.results == []
    assert [(result.id, result.source) for result in due.results] == [(5, "dev7")]
    assert due.tallies[1].counts == {"expired": 1}


def test_durations_may_be_texts() -> None:
    """A time to wait is a number of seconds, or a text."""
    assert repr(Join(FIELDS, timeout="1m30s", idle_timeout="1h")) == repr(Join(FIELDS, timeout=90, idle_timeout=3600))


@pytest.mark.parametrize(
    ("value", "message"),
    [(10**30, "light: an integer of 100 bits; 64 can be kept"), ("\ud800", "light: not a text in Unicode")],
)
def test_what_no_snapshot_can_hold_is_refused(value: Value, message: str) -> None:
    """A value that would break the next snapshot makes a dead letter instead."""
    with pytest.raises(BadRecord, match=message):
        _fed(Join(FIELDS), [_part(1, light=value)])


@pytest.mark.parametrize(
    ("fields", "params", "message"),
    [
        (None, {}, "fields: list those that make a message complete"),
        ([], {}, r"fields: \[\] is no list of different field names"),
        (["a", "a"], {}, "fields: .* is no list of different field names"),
        (FIELDS, {"same_time": 1}, "same_time: must be true or false"),
        (FIELDS, {"timeout": 0}, r"timeout: must be a duration from 0\.001"),
        (FIELDS, {"idle_timeout": "soon"}, "idle_timeout: must be a duration"),
        (FIELDS, {"max_open": 0}, "max_open: must be a whole number from 1"),
        (FIELDS, {"on_expiry": "emit"}, "on_expiry: must be 'drop' or 'partial'"),
    ],
)
def test_wrong_parameters_are_refused(fields: Any, params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        Join(fields, **params)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
def test_exploded_packs_of_the_sample_are_joined_again() -> None:
    """Every pack of the city sample, taken apart and joined, is what it is when it is parsed whole."""
    apart, whole, task = SenmlParse(explode=True), SenmlParse(), Join(CITY)
    for number, line in enumerate(SAMPLE.read_text().splitlines()):
        raw = Record(number, "city", 0.0, {"payload": line.partition(",")[2]})
        assert _fed(task, apart.process(raw)) == list(whole.process(raw))


def test_it_keeps_the_contract() -> None:
    """It passes the public battery, with messages that are complete, incomplete and mixed."""
    parts = [
        Record(number, "dev7", float(number), {field: number * 1.5}, {field: "1"}, {"bn": "x"})
        for number in range(12)
        for field in FIELDS[: 3 - (number % 3 == 0)]
    ]
    mixed = [*parts[::2], *parts[1::2]]
    examples = [
        ({"fields": FIELDS}, parts),
        ({"fields": FIELDS, "max_open": 3, "on_expiry": "partial"}, mixed),
        ({"fields": FIELDS, "same_time": True, "timeout": 2.0, "on_expiry": "partial", "idle_timeout": 5.0}, mixed),
    ]
    check_task(Join, examples)

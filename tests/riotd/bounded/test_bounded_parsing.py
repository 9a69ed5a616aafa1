"""The first stages for lines that no task of the library reads."""

import pytest

from riot_tasks import BadRecord, Record, Task
from riot_tasks.testing import check_task
from riotd.bounded.parsing import Item, JsonLine, StampedSenml, Unstamped
from riotd.formats import encode_packed

PACK = b'[{"bn":"urn:dev:a:","bt":1700000000,"n":"t","u":"Cel","v":20.5},{"n":"h","v":5}]'


def raw(*payloads: object) -> list[Record]:
    """Raw records, as a shard makes them."""
    return [Record(number, "dev7", 3.0, {"payload": payload}) for number, payload in enumerate(payloads)]  # type: ignore[dict-item]


def only(task: Task, payload: object) -> Record:
    """The one record that a payload gives."""
    (record,) = task.process(raw(payload)[0])
    return record


@pytest.mark.parametrize(
    ("task", "payloads"),
    [
        (StampedSenml, [b"1700000000500," + PACK, b"1700000000500,x", PACK, b"", "1700000000500," + PACK.decode(), 5]),
        (Unstamped, [b"1700000000500,abc", b"abc", b"9999999999999999,abc", "1,abc", None]),
        (JsonLine, [b'{"source":"a","values":{"t":1}}', b'{"t":1,"ts":5}', b"[]", b"\xff", '{"t":{}}', 7]),
        (Item, [PACK, encode_packed(Record(1, "a", 2.0, {"x": b"y"})), b"", 7]),
    ],
)
def test_they_keep_the_contract_of_a_task(task: type[Task], payloads: list[object]) -> None:
    """The public battery, over good and bad payloads."""
    check_task(task, [({}, raw(*payloads) * 8)])


def test_a_stamp_is_the_now_of_its_pack() -> None:
    """A relative time is relative to it; an absolute one stays."""
    task = StampedSenml()
    assert only(task, b'1700000000500,[{"n":"t","v":1,"t":-10}]').time == 1699999990.5
    assert only(task, b"1700000000500," + PACK).time == 1700000000.0


def test_a_stamped_pack_too_large_is_refused_unread() -> None:
    """By the same bound as an unstamped one."""
    with pytest.raises(BadRecord, match="the limit is 10"):
        list(StampedSenml(max_bytes=10).process(raw(b"1700000000500," + PACK)[0]))


@pytest.mark.parametrize("line", [b"abc", b"12", b",abc", b"-5,abc", b"1.5,abc", b"1234567890123456,abc"])
def test_a_line_without_a_stamp_is_refused(line: bytes) -> None:
    """With what was expected."""
    with pytest.raises(BadRecord, match="not <epoch ms>,<payload>"):
        Unstamped().process(raw(line)[0])


@pytest.mark.parametrize(
    ("line", "time", "values"),
    [
        (
            '{"source":"a","time":5.5,"values":{"t":1,"k":"x","n":null},"units":{"t":"Cel"}}',
            5.5,
            {"t": 1, "k": "x", "n": None},
        ),
        ('{"values":{"t":1}}', 3.0, {"t": 1}),
        ('{"t":1,"time":"1970-01-01T00:00:07Z"}', 7.0, {"t": 1, "time": "1970-01-01T00:00:07Z"}),
        ('{"t":1,"timestamp":1700000000500}', 1700000000.5, {"t": 1, "timestamp": 1700000000500}),
        ('{"t":1,"ts":"yesterday"}', 3.0, {"t": 1, "ts": "yesterday"}),
        ('{"t":true,"values":3}', 3.0, {"t": True, "values": 3}),
    ],
)
def test_json_lines(line: str, time: float, values: dict[str, object]) -> None:
    """Records as riotd writes them, and plain fields with a time among them."""
    record = only(JsonLine(), line.encode())
    assert (record.source, record.time, record.values) == ("dev7", time, values)


def test_units_and_meta_of_a_json_record_are_kept() -> None:
    """What a JSON sink wrote comes back."""
    record = only(JsonLine(), b'{"values":{"t":1},"units":{"t":"Cel"},"meta":{"bn":"a:"}}')
    assert (record.units, record.meta) == ({"t": "Cel"}, {"bn": "a:"})


def test_an_item_is_a_record_a_pack_or_for_a_task_that_wants_it_a_payload() -> None:
    """A packed record comes back under the item's number, whatever it holds."""
    record = Record(1, "a", 2.0, {"x": b"\xff", "y": 1, "z": 1.0, "n": None}, {"y": "m"}, {"bn": "a:"})
    assert only(Item(), encode_packed(record)) == Record(0, "dev7", 2.0, record.values, record.units, record.meta)
    assert only(Item(), PACK).values == {"t": 20.5, "h": 5}
    assert only(Item(raw=True), PACK).values == {"payload": PACK}

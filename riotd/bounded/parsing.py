"""First stages for lines that no task of the library reads as they stand; they travel to the workers."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from riot_tasks import senml
from riot_tasks.errors import BadRecord
from riot_tasks.parameters import flag
from riot_tasks.parse.senml_parse import SenmlParse
from riot_tasks.record import Record, Value
from riot_tasks.task import Task
from riotd.formats import PACKED, decode_packed

_DIGITS = 15
"""Of an epoch in milliseconds, at most: until the year 33658."""
TIMES = ("time", "timestamp", "ts")
"""Fields that usually say when."""

Plain = str | int | float | bool | None


class StampedSenml(SenmlParse):
    r"""Turns `<epoch ms>,<SenML pack>`, as RIoTBench's feeds have it, into records.

    The stamp is the "now" of the pack's relative times; parameters and records are those of `senml_parse`.

    Example:
        >>> from riot_tasks import Record
        >>> line = Record(7, "dev7", 0.0, {"payload": b'1700000000500,[{"bn":"dev7:","n":"t","v":12.6}]'})
        >>> [(record.time, record.values) for record in StampedSenml().process(line)]
        [(1700000000.5, {'t': 12.6})]

    References:
        RIoTBench, arXiv 1701.08530: the input of its event generator.
    """

    code = ""

    def process(self, record: Record) -> Iterable[Record]:
        """Give the records of the pack.

        Raises:
            BadRecord: there is no stamp, or as `senml_parse` says.
        """
        now, pack = _parted(record.values.get(self.field), self.field)
        if len(pack) > self.max_bytes:
            return super().process(Record(record.id, record.source, now, {self.field: pack}))  # which refuses it
        return senml.records(pack, id=record.id, source=record.source, now=now, explode=self.explode)


class Unstamped(Task):
    """Takes the stamp off `<epoch ms>,<payload>` and makes it the record's time, for a task that wants the payload.

    Example:
        >>> from riot_tasks import Record
        >>> line = Record(7, "", 0.0, {"payload": b"1700000000500,abc"})
        >>> [(record.time, record.values) for record in Unstamped().process(line)]
        [(1700000000.5, {'payload': b'abc'})]

    References:
        RIoTBench, arXiv 1701.08530: the input of its event generator.
    """

    stateful = False
    pattern = "1:1"

    def process(self, record: Record) -> Iterable[Record]:
        """The record with time and payload parted; raises BadRecord where there is no stamp."""
        time, payload = _parted(record.values.get("payload"), "payload")
        return (Record(record.id, record.source, time, {"payload": payload}),)


class JsonLine(Task):
    """Turns a line of JSON into a record: what riotd writes as JSON, or an object of plain fields.

    The first has its fields in `values`; of the others a field called time, timestamp or ts says when, in Unix seconds,
    milliseconds or ISO 8601.

    Example:
        >>> from riot_tasks import Record
        >>> parse = JsonLine()
        >>> line = b'{"id":3,"source":"dev7","time":5.0,"values":{"t":20.5},"meta":{}}'
        >>> [(record.time, record.values) for record in parse.process(Record(7, "dev7", 0.0, {"payload": line}))]
        [(5.0, {'t': 20.5})]
        >>> line = b'{"device":"dev7","ts":5000000000000,"t":20.5}'
        >>> [(record.time, record.values["t"]) for record in parse.process(Record(7, "dev7", 0.0, {"payload": line}))]
        [(5000000000.0, 20.5)]

    References:
        RFC 8259 (JSON).
    """

    stateful = False
    pattern = "1:1"

    def process(self, record: Record) -> Iterable[Record]:
        """The record in the line.

        Raises:
            BadRecord: it is no JSON object, or one with fields in fields.
        """
        payload = _octets(record.values.get("payload"), "payload")
        if (line := _written(payload)) is not None and line.values is not None:
            time = record.time if line.time is None else line.time
            return (Record(record.id, record.source, time, {**line.values}, line.units, line.meta),)
        try:
            values = _fields(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRecord(f"no JSON object of plain fields: {error}") from None
        return (Record(record.id, record.source, when(values, record.time), {**values}),)


class Item(SenmlParse):
    """Turns an item of a run in memory into records: a packed record, or SenML.

    Args:
        raw: whether bytes stay a payload, for a task that wants one.

    Example:
        >>> from riot_tasks import Record
        >>> [record.values for record in Item(raw=True).process(Record(1, "", 0.0, {"payload": b"abc"}))]
        [{'payload': b'abc'}]

    References:
        RFC 8428 (SenML); `riotd.formats.encode_packed`.
    """

    code = ""

    def __init__(self, *, raw: bool = False) -> None:
        super().__init__()
        self.raw = flag("raw", raw)

    def process(self, record: Record) -> Iterable[Record]:
        """The record that was packed, the payload as it is, or the records of the pack.

        Raises:
            BadRecord: as `senml_parse` says.
        """
        payload = record.values.get(self.field)
        if isinstance(payload, bytes) and payload.startswith(PACKED):
            found = decode_packed(payload)
            return (Record(record.id, record.source, found.time, found.values, found.units, found.meta),)
        return (record,) if self.raw else super().process(record)


def _octets(payload: Value, field: str) -> bytes:
    if isinstance(payload, str):
        return payload.encode(errors="surrogatepass")
    if not isinstance(payload, bytes):
        raise BadRecord(f"no field {field!r} of bytes or text")
    return payload


def _parted(line: Value, field: str) -> tuple[float, bytes]:
    """Unix seconds and payload of a stamped line."""
    head, comma, payload = _octets(line, field).partition(b",")
    if not comma or not head.isdigit() or len(head) > _DIGITS:
        raise BadRecord("not <epoch ms>,<payload>")
    return int(head) / 1000, payload


class _Line(msgspec.Struct):
    """A record as a JSON sink or a run writes it."""

    values: dict[str, Plain] | None = None
    time: float | None = None
    units: dict[str, str] = {}
    meta: dict[str, str] = {}


_line = msgspec.json.Decoder(_Line).decode
_fields = msgspec.json.Decoder(dict[str, Plain]).decode


def _written(payload: bytes) -> _Line | None:
    try:
        return _line(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def when(values: Mapping[str, object], otherwise: float) -> float:
    """Unix seconds in the first of the usual fields that has a time."""
    for name in TIMES:
        said = values.get(name)
        try:
            if isinstance(said, str):
                moment = datetime.fromisoformat(said)
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            if isinstance(said, int | float) and not isinstance(said, bool):
                return senml.seconds(said)
        except ValueError:
            continue
    return otherwise

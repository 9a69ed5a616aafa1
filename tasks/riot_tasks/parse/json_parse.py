"""`json_parse`: an object in JSON into a record of its fields."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from riot_tasks import parameters
from riot_tasks.errors import BadRecord
from riot_tasks.parameters import name, one_of, whole
from riot_tasks.parse import columns
from riot_tasks.record import Record, Value, text
from riot_tasks.senml.numbers import narrow
from riot_tasks.showing import shown
from riot_tasks.task import Task

MAX_DEPTH: Final = 50
"""Objects within objects; an object that goes deeper is refused."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class JsonParse(Task):
    """Turns an object in JSON into a record: numbers, texts, true, false and null become fields by their names.

    What is in an object within it gets the names of both, with a dot between: `{"air": {"temp": 21.5}}` has the field
    `air.temp`. For feeds that are no SenML, and for what riotd says in JSON itself: ticks of a timer, notices.

    Args:
        fields: the fields to take, by such names; None is all. What a message lacks is left out.
        source: the field that says who; it becomes the record's source. None keeps that.
        timestamp: the field that says when, as in `csv_to_senml`; it becomes the record's time. None keeps that.
        units: units of fields, by name.
        arrays: "refuse" a message that has a list in it, in a field that is to be taken; or "ignore" the list.
        field: the field that holds the object, as bytes or text.
        max_bytes: largest message accepted; a longer one is refused unread.

    A message is refused if it is not one object, or has none of the fields besides `source` and `timestamp`, and if
    these two are not there, or no text or number, or no time. Integers of more than 64 bits become doubles.

    RIoTBench has no such task: its feeds are SenML or CSV.

    Example:
        >>> from riot_tasks import Record
        >>> task = JsonParse(source="id", timestamp="at", units={"air.temp": "Cel"})
        >>> raw = Record(1, "", 0.0, {"payload": b'{"id":"dev7","at":1700000000500,"air":{"temp":21.5,"ok":true}}'})
        >>> [(record.source, record.time, record.values, record.units) for record in task.process(raw)]
        [('dev7', 1700000000.5, {'air.temp': 21.5, 'air.ok': True}, {'air.temp': 'Cel'})]

    References:
        RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange Format", 2017.
    """

    stateful = False
    pattern = "1:1"

    def __init__(  # noqa: PLR0913 - seven keys of the config
        self,
        *,
        fields: Sequence[str] | None = None,
        source: str | None = None,
        timestamp: str | None = None,
        units: Mapping[str, str] | None = None,
        arrays: str = "refuse",
        field: str = "payload",
        max_bytes: int = 2**20,
    ) -> None:
        self.fields = parameters.names("fields", fields)
        self.source = None if source is None else name("source", source)
        self.timestamp = None if timestamp is None else name("timestamp", timestamp)
        if source is not None and source == timestamp:
            raise ValueError(f"timestamp: {timestamp!r} says who already (source); name another field")
        self.units, self._units = units, _units(units)
        self.arrays = one_of("arrays", arrays, ("refuse", "ignore"))
        self.field = name("field", field)
        self.max_bytes = whole("max_bytes", max_bytes, least=2)
        self._wanted = None if self.fields is None else {*self.fields, source, timestamp}

    def process(self, record: Record) -> Iterable[Record]:
        """Give the record of the object in `record`.

        Raises:
            BadRecord: no payload, too long, or refused; names the field.
        """
        values = self._values(self._object(record))
        source, time = record.source, record.time
        if self.source is not None:
            source = _source(self.source, values.pop(self.source, None))
        if self.timestamp is not None:
            time = columns.time(self.timestamp, values.pop(self.timestamp, None))
        if not values:
            raise BadRecord("the object has no field to take")
        units = {field: unit for field, unit in self._units.items() if field in values}
        return (Record(record.id, source, time, values, units, record.meta),)

    def _object(self, record: Record) -> dict[str, Any]:
        payload = record.values.get(self.field)
        if not isinstance(payload, bytes | str):
            found = "missing" if payload is None else f"a {type(payload).__name__}, not bytes or text"
            raise BadRecord(f"field {self.field!r}: {found}")
        if len(payload) > self.max_bytes:
            raise BadRecord(f"a message of {len(payload)} bytes: the limit is {self.max_bytes} (max_bytes)")
        try:
            return _decode(payload)
        except RecursionError:
            raise BadRecord(f"more than {MAX_DEPTH} objects within each other") from None
        except ValueError as error:
            raise BadRecord(f"no object in JSON: {error}; it begins with {shown(payload[:200])}") from None

    def _values(self, data: Mapping[str, Any]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        self._collect(data, "", found, MAX_DEPTH)
        return found

    def _collect(self, data: Mapping[str, Any], prefix: str, found: dict[str, Value], depth: int) -> None:
        for key, value in data.items():
            field = prefix + key
            if type(value) is dict:
                if not depth:
                    raise BadRecord(f"more than {MAX_DEPTH} objects within each other")
                self._collect(value, field + ".", found, depth - 1)
            elif self._wanted is None or field in self._wanted:
                self._take(field, value, found)

    def _take(self, field: str, value: object, found: dict[str, Value]) -> None:
        if field in found:
            raise BadRecord(f"{shown(field)}: stands twice, as a name with a dot in it and as an object")
        if isinstance(value, list):
            if self.arrays == "refuse":
                raise BadRecord(f"{shown(field)}: is a list; leave it out of fields, or say arrays: ignore")
            return
        found[field] = _narrow(field, value) if type(value) is int else value  # type: ignore[assignment] # no other types


def _narrow(field: str, value: int) -> float | int:
    try:
        return narrow(value)
    except ValueError as error:
        raise BadRecord(f"{shown(field)}: {error}") from None


def _source(field: str, value: Value) -> str:
    if value is None or value == "" or isinstance(value, bool):
        raise BadRecord(f"{field}: says who, and is {'missing' if value is None else shown(value)}")
    return text(value)


def _units(units: object) -> dict[str, str]:
    if units is None:
        return {}
    if not isinstance(units, Mapping) or not all(
        isinstance(field, str) and field and isinstance(unit, str) and unit for field, unit in units.items()
    ):
        raise ValueError(f"units: must be units by fields, write {{temperature: Cel}} (is {shown(units)})")
    return dict(units)

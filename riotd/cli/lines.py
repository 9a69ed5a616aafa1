"""Lines of text as records, in whichever of the usual forms they are."""

import csv
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec
import orjson

from riot_tasks import senml
from riot_tasks.errors import BadRecord
from riot_tasks.record import Record, Value

FORMATS = ("senml", "riotbench", "records", "fields", "csv", "raw")
"""SenML packs; `<epoch ms>,<SenML>`; what `riotd try` and JSON sinks write; JSON objects of fields; CSV with a header;
anything, as bytes in the field `payload`."""

_STAMPED = re.compile(rb"(\d{9,16}),(?=\s*[\[{])")
_SOURCES = ("source", "device", "id", "sensor")
_TIMES = ("time", "timestamp", "ts")
"""Fields that usually say who and when."""


def sniff(line: bytes, *, raw: bool = False) -> str:
    """The form of a feed, by its first line; `raw` as for `Reader`."""
    if _STAMPED.match(line):
        return "riotbench"
    if raw:
        return "raw"
    if line.lstrip()[:1] not in {b"[", b"{"}:
        return "csv" if b"," in line else "raw"
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return "senml"
    if isinstance(found, list) or "e" in found:
        return "senml"
    return "records" if isinstance(found.get("values"), dict) else "fields"


class Reader:
    """Makes records of lines; the first line of CSV is its header.

    Args:
        form: one of `FORMATS`.
        raw: whether the SenML of `riotbench` stays a payload, as a source gives it to a parse task.
        source: name of the field that says who; default one of the usual ones.
        time: name of the field that says when; default one of the usual ones.
        now: Unix seconds, for what says no time of its own.
    """

    def __init__(
        self, form: str, *, now: float, raw: bool = False, source: str | None = None, time: str | None = None
    ) -> None:
        self._now = now
        self._sources = (source,) if source else _SOURCES
        self._times = (time,) if time else _TIMES
        self._header: list[str] | None = None
        readers: dict[str, Callable[[int, bytes], list[Record]]] = {
            "senml": self._senml,
            "riotbench": self._riotbench,
            "records": self._record,
            "fields": self._fields,
            "csv": self._csv,
            "raw": self._raw,
        }
        self._read = readers[form]
        self._bare = raw

    def records(self, number: int, line: bytes) -> list[Record]:
        """The records of line `number`, which becomes their id.

        Raises:
            BadRecord: the line is not of the form.
        """
        return self._read(number, line)

    def _raw(self, number: int, line: bytes) -> list[Record]:
        return [Record(number, "", self._now, {"payload": line})]

    def _senml(self, number: int, line: bytes) -> list[Record]:
        found = senml.records(line, id=number, source="", now=self._now)
        if found and not found[0].meta.get("bn"):  # RIoTBench's packs name the device in an entry
            return [msgspec.structs.replace(one, source=self._who(one.values) or one.source) for one in found]
        return found

    def _riotbench(self, number: int, line: bytes) -> list[Record]:
        stamp = _STAMPED.match(line)
        if stamp is None:
            raise BadRecord("is not <epoch ms>,<SenML>")
        if self._bare:
            return [Record(number, "", int(stamp[1]) / 1000, {"payload": line[stamp.end() :]})]
        return self._senml(number, line[stamp.end() :])

    def _record(self, number: int, line: bytes) -> list[Record]:
        try:
            found = msgspec.json.decode(line, type=_Written)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRecord(f"is no record: {error}") from error
        time = self._now if found.time is None else found.time
        return [Record(number, found.source, time, dict(found.values), found.units, found.meta)]

    def _fields(self, number: int, line: bytes) -> list[Record]:
        try:
            values = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadRecord(f"is not JSON: {error}") from error
        if not isinstance(values, dict) or any(isinstance(value, list | dict) for value in values.values()):
            raise BadRecord("is no JSON object of plain fields")
        return [Record(number, self._who(values), self._when(values), values)]

    def _csv(self, number: int, line: bytes) -> list[Record]:
        try:
            cells = next(csv.reader([line.decode()], strict=True), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadRecord(f"is no CSV: {error}") from error
        if self._header is None:
            self._header = cells
            return []
        if len(cells) != len(self._header):
            raise BadRecord(f"has {len(cells)} cells, the header {len(self._header)}")
        values = {name: _value(cell) for name, cell in zip(self._header, cells, strict=True)}
        return [Record(number, self._who(values), self._when(values), values)]

    def _who(self, values: Mapping[str, Value]) -> str:
        return next((str(values[name]) for name in self._sources if values.get(name) is not None), "")

    def _when(self, values: Mapping[str, Value]) -> float:
        """Unix seconds, milliseconds or ISO 8601 in one of the time fields; else now."""
        found = next((values[name] for name in self._times if values.get(name) is not None), None)
        if isinstance(found, str):
            try:
                moment = datetime.fromisoformat(found)
            except ValueError:
                return self._now
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if isinstance(found, int | float):
            return found / 1000 if found > 1e11 else float(found)
        return self._now


class _Written(msgspec.Struct):
    """A record as a JSON sink writes it."""

    values: dict[str, float | int | str | bool | None]
    source: str = ""
    time: float | None = None
    units: dict[str, str] = {}
    meta: dict[str, str] = {}


def _value(cell: str) -> Value:
    """A cell as a number where it is one; an empty one is no value."""
    if not cell:
        return None
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell

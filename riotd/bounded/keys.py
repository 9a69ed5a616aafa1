"""Whose line is it? Found without decoding wherever that is sure; a wrong guess would split a device's state.

The trap: what is searched in JSON text is sure because a quotation mark within a JSON string has a backslash before it,
so `"bn"` is never part of one; whatever looks unusual is decoded.
"""

import csv
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from riotd.bounded.gateways import apart

SEVERAL = "\0several"
"""Stands for a key where a line speaks for several devices; none is called so, SenML names have no such character."""

SOURCES = ("source", "device", "id", "sensor")
"""Fields that usually say who."""
BASE = "bn"
"""The `--key` that takes SenML's whole base name."""

_KEPT = 65_536
"""Sightings whose key is remembered; then all are forgotten."""
_ESCAPE = ord("\\")
"""Without one in a line, texts stand in it as they are."""
_BASE = re.compile(rb'"bn"\s*:\s*"([^"\\]+)"')


def device(base: str) -> str:
    """The device in a base name: what is after the last `:` or `/` of `urn:dev:city:ci4lr75sl:` once its end is off."""
    return re.split("[:/]", base.rstrip(":/"))[-1]


class Keys:
    """Finds the keys of lines.

    Args:
        key: of one line; "" if it has none.
    """

    def __init__(self, key: Callable[[bytes], str]) -> None:
        self._key = key

    def __call__(self, lines: Sequence[bytes]) -> list[str]:
        """The key of each line; "" where it has none, `SEVERAL` where it is to be taken `apart`."""
        return [self._key(line) for line in lines]

    def apart(self, line: bytes, now: float) -> list[tuple[str, bytes]]:
        """The devices of a line, each with a line of its own; `now` as `gateways.apart` has it."""
        raise NotImplementedError(f"{now}: only SenML speaks for several devices, not {line!r}")


def keys_of(form: str, field: str | None = None, columns: Sequence[str] = ()) -> Keys:
    """How the keys of lines are found.

    Args:
        form: of `riotd.bounded.forms.FORMS`.
        field: the field that says who; None takes the device: of SenML the one in the base name, or what the entry
            `source` says; else the first of `SOURCES` there is.
        columns: of CSV, in order.
    """
    if form in ("senml", "riotbench"):
        return _SenmlKeys(field)
    if form == "json":
        return Keys(_json_field(field) if field else _json_source)
    column = next((name for name in ([field] if field else SOURCES) if name in columns), None)
    if form == "csv" and column is not None:
        return Keys(_cell(list(columns).index(column)))
    return Keys(lambda _: "")


class _Entry(msgspec.Struct, gc=False):
    """As much of a SenML entry as a key needs."""

    n: str = ""
    bn: str = ""
    vs: str | None = None
    sv: str | float | None = None
    v: float | int | str | None = None

    def text(self) -> str:
        return str(next((value for value in (self.vs, self.sv, self.v) if value is not None), ""))


class _Draft(msgspec.Struct, gc=False):
    """RIoTBench's older form: entries below `e`."""

    e: list[_Entry] = []
    bn: str = ""


_pack = msgspec.json.Decoder(_Draft | list[_Entry]).decode
_entry = msgspec.json.Decoder(_Entry).decode


class _SenmlKeys(Keys):
    """Keys of SenML packs, stamped or not: 0.5 µs a line with a base name, 0.8 with an entry, 4 if it is decoded.

    Args:
        field: the entry that says who, or `BASE`; None takes the base name's device, else the entry `source`.
    """

    def __init__(self, field: str | None) -> None:
        self._name = field or "source"
        super().__init__(self._by_entry)
        self._of_base = device if field is None else str if field == BASE else None
        self._quoted = orjson.dumps(self._name)
        self._known: dict[bytes, str] = {}

    def __call__(self, lines: Sequence[bytes]) -> list[str]:
        known = self._known
        if len(known) > _KEPT:
            known.clear()
        if self._of_base is None:
            return super().__call__(lines)
        search = _BASE.search
        keys = []
        for line in lines:
            sighting = search(line)
            if sighting is None or _ESCAPE in line:
                keys.append(self._decoded(line) if _ESCAPE in line else self._by_entry(line))
                continue
            key = known.get(sighting[0])
            if key is None:
                key = self._by_base(sighting)
            keys.append(key if line.find(b'"bn"', sighting.end()) < 0 else self._of_all(line))
        return keys

    def apart(self, line: bytes, now: float) -> list[tuple[str, bytes]]:
        """As `gateways.apart`; a line that can't be taken apart is left to its parse stage."""
        return apart(line, self._of_base or device, now=now) or [("", line)]

    def _by_base(self, sighting: re.Match[bytes]) -> str:
        assert self._of_base is not None  # noqa: S101 - bases are looked for only then
        key = self._known[sighting[0]] = self._of_base(sighting[1].decode(errors="replace"))
        return key

    def _of_all(self, line: bytes) -> str:
        """The key of a line with several base names, if they are of one device."""
        keys = {self._by_base(sighting) for sighting in _BASE.finditer(line)}
        return SEVERAL if len(keys) > 1 else keys.pop()

    def _by_entry(self, line: bytes) -> str:
        """The key in the entry around the name, which is decoded alone."""
        at = line.find(self._quoted)
        if at < 0:
            return self._decoded(line) if _ESCAPE in line else ""
        around = line[line.rfind(b"{", 0, at) : line.find(b"}", at) + 1]
        if (key := self._known.get(around)) is None:
            try:
                entry = _entry(around)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return self._decoded(line)
            if entry.n != self._name:
                return self._decoded(line)
            key = self._known[around] = entry.text()
        return key

    def _decoded(self, line: bytes) -> str:
        """The key of a line that does not show it plainly; "" if it is no SenML, as its parse stage will say."""
        text = line.lstrip()
        if text[:1].isdigit():
            text = text.partition(b",")[2]
        try:
            pack = _pack(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""
        entries, base = (pack.e, pack.bn) if isinstance(pack, _Draft) else (pack, "")
        bases = dict.fromkeys([base, *(entry.bn for entry in entries)])
        if self._of_base is not None and (keys := {self._of_base(base) for base in bases if base}):
            return SEVERAL if len(keys) > 1 else keys.pop()
        return next((entry.text() for entry in entries if entry.n == self._name), "")


class _Who(msgspec.Struct, gc=False):
    """As much of a JSON object as a key needs."""

    source: Any = None
    device: Any = None
    id: Any = None
    sensor: Any = None


_who = msgspec.json.Decoder(_Who).decode


def _json_source(line: bytes) -> str:
    try:
        found = _who(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return _text(next((value for name in SOURCES if (value := getattr(found, name)) is not None), None))


def _json_field(field: str) -> Callable[[bytes], str]:
    def key(line: bytes) -> str:
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            return ""
        if not isinstance(found, dict):
            return ""
        places = (found.get("values"), found.get("meta"), found)
        return _text(next((place[field] for place in places if isinstance(place, dict) and field in place), None))

    return key


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _cell(index: int) -> Callable[[bytes], str]:
    """The cell of a column; nearly always what stands between two commas."""

    def key(line: bytes) -> str:
        if b'"' not in line:
            cells = line.split(b",", index + 1)
            return cells[index].decode(errors="replace") if len(cells) > index else ""
        try:
            row = next(csv.reader((line.decode(errors="replace"),)), [])
        except csv.Error:
            return ""
        return row[index] if len(row) > index else ""

    return key

"""A data set's columns, and how a reading of them is written: RFC 8428, RIoTBench's draft, or CSV."""

from collections.abc import Callable
from functools import cached_property
from typing import Final, Literal

import msgspec

from riotd.feeds.arrivals import Dataset
from riotd.feeds.request import Form

Value = float | bytes
Reading = tuple[bytes, int, tuple[Value, ...]]
"""The device's id, epoch milliseconds, and the other columns' values in order."""

_SKIPPED: Final = "%.0a"  # swallows the value of a field that is missing


class Column(msgspec.Struct, frozen=True):
    """One of a data set's columns.

    Attributes:
        name: as in RIoTBench's schema file.
        label: RIoTBench's unit, right or wrong, as its JSON has it.
        unit: that of RFC 8428 or RFC 8798; empty where neither has one, or it is not known.
        conversion: printf's; `%b` for text.
        kind: `v` or `sv`, as RIoTBench has it; it writes some numbers as text.
        band: lowest and highest valid value of RIoTBench's range filter.
        spikes: where outliers are: ranges `(from, to)`, one of them is chosen.
    """

    name: str
    label: str
    unit: str = ""
    conversion: str = "%d"
    kind: Literal["v", "sv"] = "v"
    band: tuple[float, float] | None = None
    spikes: tuple[tuple[float, float], ...] = ()


class Schema(msgspec.Struct, frozen=True, dict=True):
    """A data set: its name, its columns but for the time, the device's id first.

    Attributes:
        name: of the data set; also in the base names, `urn:dev:<name>:<id>:`.
        columns: in RIoTBench's order.
        time_at: the position of the column `timestamp` in a CSV row.
        clocked: whether devices are read exactly on time, not at a time drawn from their share of it.
        time_as_text: whether RIoTBench writes the base time as text.
        csv_time: what a CSV row says for epoch milliseconds.
    """

    name: Dataset
    columns: tuple[Column, ...]
    time_at: int
    clocked: bool = False
    time_as_text: bool = False
    csv_time: Callable[[int], bytes] = b"%d".__mod__

    @cached_property
    def faulty(self) -> list[int]:
        """Positions among the columns after the id of those in which outliers and gaps occur."""
        return [at for at, column in enumerate(self.columns[1:]) if column.spikes]

    @property
    def header(self) -> bytes:
        """The first line of a CSV file."""
        names = [column.name for column in self.columns]
        return ",".join([*names[: self.time_at], "timestamp", *names[self.time_at :]]).encode()


class Writer:
    """Writes readings of a schema in one form."""

    def __init__(self, schema: Schema, form: Form) -> None:
        self._schema = schema
        self._form = form
        self._patterns: dict[int | None, bytes] = {}
        self._whole = self._pattern(None)

    def write(self, reading: Reading, missing: int | None = None) -> bytes:
        """The pack or row of a reading, without the column at the position `missing` among those after the id."""
        name, stamp, values = reading
        pattern = self._whole if missing is None else self._pattern(missing)
        if self._form == "rfc":
            return pattern % (name, stamp / 1000, *values)
        if self._form == "riotbench":
            return pattern % (name, *values, stamp)
        before = self._schema.time_at - 1
        return pattern % (name, *values[:before], self._schema.csv_time(stamp), *values[before:])

    def _pattern(self, missing: int | None) -> bytes:
        pattern = self._patterns.get(missing)
        if pattern is None:
            pattern = self._patterns[missing] = self._made(missing).encode()
        return pattern

    def _made(self, missing: int | None) -> str:
        """The pack with a conversion for the id, for each value and for the time."""
        first, *rest = self._schema.columns
        if self._form == "csv":
            cells = [_SKIPPED if at == missing else column.conversion for at, column in enumerate(rest)]
            cells.insert(self._schema.time_at - 1, "%b")
            return ",".join(["%b", *cells])
        if self._form == "rfc":
            return _rfc_pack(self._schema.name, rest, missing)
        entries = [_SKIPPED if at == missing else f",{_draft_entry(column)}" for at, column in enumerate(rest)]
        time = '"%d"' if self._schema.time_as_text else "%d"
        return f'{{"e":[{_draft_entry(first)}{"".join(entries)}],"bt":{time}}}'


def _rfc_pack(name: str, columns: list[Column], missing: int | None) -> str:
    """The base name and time are in the first record that there is: one of its own would have no value."""
    parts = [f'[{{"bn":"urn:dev:{name}:%b:","bt":%.3f,']
    opening = ""
    for at, column in enumerate(columns):
        if at == missing:
            parts.append(_SKIPPED)
            continue
        value = '"vs":"%b"' if column.conversion == "%b" else f'"v":{column.conversion}'
        unit = f'"u":"{column.unit}",' if column.unit else ""
        parts.append(f'{opening}"n":"{column.name}",{unit}{value}}}')
        opening = ",{"
    return "".join(parts) + "]"


def _draft_entry(column: Column) -> str:
    """Numbers are text too, and the keys of texts come in another order, as in RIoTBench's files."""
    unit = column.label.replace("/", "\\/").replace("%", "%%")
    if column.kind == "sv":
        return f'{{"u":"{unit}","n":"{column.name}","sv":"{column.conversion}"}}'
    return f'{{"v":"{column.conversion}","u":"{unit}","n":"{column.name}"}}'

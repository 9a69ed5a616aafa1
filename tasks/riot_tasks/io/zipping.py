"""Archives filled record by record: what `local_zip` and `remote_zip` have in common."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from riot_tasks import parameters
from riot_tasks.fields import versioned
from riot_tasks.io.contents import held
from riot_tasks.io.naming import Template, milliseconds
from riot_tasks.parameters import whole
from riot_tasks.record import Record, Value
from riot_tasks.task import Task

MOST_BYTES = 16 * 1024 * 1024
"""What an archive holds before compression, unless it is said otherwise."""
_EARLIEST, _LATEST = 315_532_800.0, 4_354_819_198.0
"""1980-01-01 00:00:00 and 2107-12-31 23:59:58: what a zip can say (APPNOTE, section 4.4.6)."""

_LONG = "9" * 19
"""An id as long as any."""

Entry = tuple[str, float, bytes]
"""Name, Unix seconds, content."""


class Zipping(Task):
    """Gathers what records hold, and makes a zip of it.

    Args:
        field: holds an entry's content, bytes or text.
        entry: template for an entry's name.
        name: template for the archive's name: {source} and {time} in ms of the first entry, {first} and {last}, the
            ids of the records of the first and the last.
        count: entries in an archive.
        max_bytes: of all entries together, before compression.
    """

    pattern = "N:1"
    waits = True
    writes = True

    def __init__(self, field: str, entry: str, name: str, count: int, max_bytes: int) -> None:
        self.field = parameters.name("field", field)
        self.entry, self._entry = entry, Template("entry", entry)
        self.name, self._name = name, Template("name", name, only=("source", "time", "first", "last"))
        self.count = whole("count", count, least=1, most=65_535)
        self.max_bytes = whole("max_bytes", max_bytes, least=1)
        self._entries: list[Entry] = []
        self._size = 0
        self._first: Record | None = None  # of the first entry and of the last, without their values
        self._last: Record | None = None

    @abstractmethod
    def _put(self, name: str, data: bytes) -> dict[str, Value]:
        """Write the archive; give the fields that say where it is.

        Raises:
            Unavailable: it can't be written now.
        """

    def process(self, record: Record) -> Iterable[Record]:
        """What became of the archive that this record completes; mostly nothing."""
        data = held(record, self.field, self.max_bytes)
        bare = Record(record.id, record.source, record.time, {}, {}, record.meta)
        new = self._entry.fill(record), milliseconds(record.time) / 1000, data
        self._name.fill(bare, {"first": _LONG, "last": _LONG})  # so that it can be had later, whatever comes
        if self._first and self._last and self._size + len(data) > self.max_bytes:
            result = self._written(self._entries, self._first, self._last, bare)
            self._begin([new], bare, bare)
            return (result,)
        first = self._first or bare
        if len(self._entries) + 1 == self.count:
            result = self._written([*self._entries, new], first, bare, bare)
            self._begin([], None, None)
            return (result,)
        self._entries.append(new)
        self._size += len(data)
        self._first, self._last = first, bare
        return ()

    def flush(self) -> Iterable[Record]:
        """What became of the entries that are left, which make a smaller archive."""
        if self._first is None or self._last is None:
            return ()
        result = self._written(self._entries, self._first, self._last, self._last)
        self._begin([], None, None)
        return (result,)

    def snapshot(self) -> Mapping[str, Any]:
        """The entries so far, and whose records came first and last."""
        ends = [one and [one.id, one.source, one.time, dict(one.meta)] for one in (self._first, self._last)]
        return {"version": 1, "entries": [list(entry) for entry in self._entries], "ends": ends}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        saved = versioned(state, 1)
        first, last = (one and Record(one[0], one[1], one[2], {}, {}, one[3]) for one in saved["ends"])
        self._begin([(name, time, data) for name, time, data in saved["entries"]], first, last)

    def _begin(self, entries: list[Entry], first: Record | None, last: Record | None) -> None:
        self._entries, self._first, self._last = entries, first, last
        self._size = sum(len(data) for _, _, data in entries)

    def _written(self, entries: list[Entry], first: Record, last: Record, by: Record) -> Record:
        """Write an archive; give the record that says so, which follows from `by`."""
        name = self._name.fill(first, {"first": str(first.id), "last": str(last.id)})
        data = archive(entries)
        values = {**self._put(name, data), "count": len(entries), "size": len(data)}
        return Record(by.id, by.source, by.time, values, {}, by.meta)


def archive(entries: Iterable[Entry]) -> bytes:
    """A zip, deflated; the same entries give the same bytes. A name that is taken becomes `name~2.svg`."""
    target, taken = BytesIO(), set[str]()
    with ZipFile(target, "w", ZIP_DEFLATED) as made:
        for name, time, data in entries:
            free = _free(name, taken)
            taken.add(free)
            info = ZipInfo(free, _when(time))
            info.compress_type = ZIP_DEFLATED
            info.create_system = 3  # Unix, also where it is made on something else
            info.external_attr = 0o644 << 16
            made.writestr(info, data)
    return target.getvalue()


def _free(name: str, taken: set[str]) -> str:
    path, number, free = PurePosixPath(name), 1, name
    while free in taken:
        number += 1
        free = str(path.with_name(f"{path.stem}~{number}{path.suffix}"))
    return free


def _when(time: float) -> tuple[int, int, int, int, int, int]:
    moment = datetime.fromtimestamp(min(max(time, _EARLIEST), _LATEST), UTC)
    return moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second

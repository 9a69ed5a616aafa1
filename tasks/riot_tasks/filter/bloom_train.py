"""`bloom_train`: the list of all that were seen, as a Bloom filter."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import get_ident
from typing import Any
from urllib.parse import quote

from riot_tasks import parameters
from riot_tasks.algorithms.bloom import BloomFilter as Members
from riot_tasks.errors import Unavailable
from riot_tasks.fields import versioned
from riot_tasks.filter.bloom_filter import share
from riot_tasks.parameters import name, whole
from riot_tasks.record import Record, Value, text
from riot_tasks.showing import shown
from riot_tasks.task import Task

_SOURCE = "{source}"
_LONGEST = 100
"""Bytes of the path's last part, and of a source in it: together, with a digest, within the 255 of a file's name."""


class BloomTrain(Task):
    """Gathers the records' sources, or the values of a field, in a Bloom filter, which `bloom_filter` can let in by.

    Args:
        field: `source`, the records' source, or the name of the field with the ids, taken as text: 8, 8.0 and "8" are
            the same. A record without it does not count.
        expected: different ids to size the filter for; past it more strangers pass. 9.6 bits an id at 1 %.
        false_positive: share of strangers that pass once `expected` ids are in.
        window: records with an id between two results.
        path: a file to write each result to, whole or not at all; `{source}` in its name stands for the record's
            source, without which all keys write one file. On a cluster it is on the node that the key is on. None
            writes none.

    The filter goes on growing. The record that fills a window makes the result, under its own id and time; at the
    end of a bounded stream the records since make one more. A result has the fields `model`, the filter as Guava
    writes it (MURMUR128_MITZ_64), `items`, about how many different ids are in it, and `false_positive`, the share of
    strangers that pass by now.

    RIoTBench writes its file once, at the end, and, where it reads a column, puts in a random number with each id.

    Example:
        >>> from riot_tasks import Record
        >>> from riot_tasks.algorithms.bloom import BloomFilter
        >>> task = BloomTrain(window=3)
        >>> for source in ("dev1", "dev2", "dev1"):
        ...     for result in task.process(Record(1, source, 0.0, {"temperature": 20.0})):
        ...         known = BloomFilter.from_bytes(result.values["model"])
        ...         print(result.values["items"], "dev1" in known, "dev3" in known)
        2 True False

    References:
        Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors", CACM 13 (1970).
        RIoTBench BloomFilterTrain, arXiv 1701.08530; in its code, not among the 27 tasks of its paper.
    """

    pattern = "N:1"

    def __init__(
        self,
        field: str = "source",
        *,
        expected: int = 10_000,
        false_positive: float = 0.01,
        window: int = 1000,
        path: str | None = None,
    ) -> None:
        self.field = name("field", field)
        self.expected = whole("expected", expected, least=1)
        self.false_positive = share(false_positive)
        self.window = whole("window", window, least=1)
        self.path = None if path is None else _path(path)
        self._members = Members.sized(expected, self.false_positive)
        self._count = 0
        self._last: Record | None = None

    def process(self, record: Record) -> Iterable[Record]:
        """The filter, if this record fills a window.

        Raises:
            Unavailable: the file can't be written.
        """
        item = record.source if self.field == "source" else record.values.get(self.field)
        if item is None:
            return ()
        if self._count + 1 < self.window:
            self._members.add(text(item))
            self._count += 1
            self._last = record
            return ()
        members = self._members.copy()  # a record that can't be written has not come
        members.add(text(item))
        result = self._result(record, members)
        self._members, self._count = members, 0
        return (result,)

    def flush(self) -> Iterable[Record]:
        """The filter, if records came since the last result.

        Raises:
            Unavailable: the file can't be written; a later call tries again.
        """
        if not self._count or self._last is None:
            return ()
        result = self._result(self._last, self._members)
        self._count = 0
        return (result,)

    def _result(self, record: Record, members: Members) -> Record:
        model = members.to_bytes()
        if self.path is not None:
            _write(Path(self.path.replace(_SOURCE, _escaped(record.source))), model)
        values: dict[str, Value] = {
            "model": model,
            "items": round(members.count()),
            "false_positive": members.false_positives(),
        }
        return Record(record.id, record.source, record.time, values, {"items": "count"}, record.meta)

    def snapshot(self) -> Mapping[str, Any]:
        """The filter, how many records came since the last result, and the last of them."""
        last = self._last
        whose = last and [last.id, last.source, last.time, dict(last.meta)]
        return {"version": 1, "model": self._members.to_bytes(), "count": self._count, "last": whose}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        saved = versioned(state, 1)
        self._members = Members.from_bytes(saved["model"])
        self._count = saved["count"]
        if saved["last"]:
            number, source, time, meta = saved["last"]
            self._last = Record(number, source, time, {}, {}, meta)


def _path(value: object) -> str:
    written = parameters.path("path", value)
    folder, file = os.path.split(written)
    if os.path.isdir(written):  # noqa: PTH112 - Path's raises an error at a name that is too long
        raise ValueError(f"path: must be the path of a file (is {shown(value)})")
    if written.count(_SOURCE) > file.count(_SOURCE) or file.count(_SOURCE) > 1:
        raise ValueError(f"path: {written} has {_SOURCE} elsewhere than once in the file's name; put it there")
    if not os.path.isdir(folder or "."):  # noqa: PTH112 - as above
        raise ValueError(f"path: {folder} is no folder; make it, or name another")
    if len(os.fsencode(file)) > _LONGEST:
        raise ValueError(f"path: {file} is longer than {_LONGEST} bytes; shorten it")
    return written


def _escaped(source: str) -> str:
    """A name of a file, or part of one, for each source, whatever characters it has and however many."""
    escaped = quote(source, safe="", errors="replace").replace(".", "%2E")  # "." and ".." are folders
    if len(escaped) <= _LONGEST:
        return escaped or "%"
    return f"{escaped[:_LONGEST]}%{sha256(escaped.encode()).hexdigest()[:32]}"


def _write(path: Path, content: bytes) -> None:
    """Put a file in place, whole or not at all, even if the power fails."""
    draft = path.with_name(f".{os.getpid()}.{get_ident()}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise Unavailable(f"path: {path} can't be written: {error.strerror}") from error

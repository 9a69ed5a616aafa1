"""`bloom_filter`: only who is on the list."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from riot_tasks import parameters
from riot_tasks.algorithms.bloom import BloomFilter as Members
from riot_tasks.parameters import name, one_of, whole
from riot_tasks.record import Record, text
from riot_tasks.showing import shown
from riot_tasks.task import Task


class BloomFilter(Task):
    """Lets a record through if its source, or the value of a field, is on a list; a few strangers slip in.

    Args:
        allow: the list: ids, or the path of a file: an id a line in UTF-8, or a filter written by Guava with
            the strategy MURMUR128_MITZ_64, told apart by their first byte.
        field: `source`, the record's source, or the name of the field that holds the id, compared as text.
        separator: what ends the id in a line of the file: ":" for RIoTBench's `id:value,value`, "" if the whole
            line is the id. Needed only where lines have a colon.
        expected: how many ids to size the filter for; default as many as the list has. Guava's has its size.
        false_positive: share of strangers that pass once `expected` ids are on the list.
        on_miss: "drop" takes out the record; "null" lets it through with None in place of the field's value, or,
            if the source is not on the list, of all values.

    A record without the field, or with None in it, passes. The filter is made when the task is: a few µs an
    id and 9.6 bits of memory at 1 %; a miss among those 1 % can't be told from a hit.

    Example:
        >>> from riot_tasks import Record
        >>> task = BloomFilter(["dev1", "dev2"])
        >>> [result.source for name in ("dev1", "stranger") for result in task.process(Record(1, name, 0.0, {}))]
        ['dev1']

    References:
        Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors", CACM 13 (1970).
        RIoTBench BLF (BloomFilterCheck), arXiv 1701.08530, section 4.1.
    """

    code = "BLF"
    stateful = False
    pattern = "1:0/1"

    def __init__(  # noqa: PLR0913 - six keys of the config
        self,
        allow: Sequence[str] | str,
        *,
        field: str = "source",
        separator: str | None = None,
        expected: int | None = None,
        false_positive: float = 0.01,
        on_miss: str = "drop",
    ) -> None:
        self.allow = _list_or_path(allow)
        self.field = name("field", field)
        self.separator = None if separator is None else _text("separator", separator)
        self.expected = None if expected is None else whole("expected", expected, least=1)
        self.false_positive = share(false_positive)
        self.on_miss = one_of("on_miss", on_miss, ("drop", "null"))
        self._members = self._made()
        self._latest: str | None = None  # who was let through last: a message's observations ask one after the other

    def process(self, record: Record) -> Iterable[Record]:
        """The record itself, or the record with None where its id was, or nothing."""
        if self.field == "source":
            item: str | None = record.source
        else:
            value = record.values.get(self.field)
            item = None if value is None else text(value)
        if item == self._latest or item is None or item in self._members:
            self._latest = item
            return (record,)
        if self.on_miss == "drop":
            return ()
        lost = record.values if self.field == "source" else (self.field,)
        values = {**record.values, **dict.fromkeys(lost)}
        return (Record(record.id, record.source, record.time, values, record.units, record.meta),)

    def _made(self) -> Members:
        guava = _guava(self.allow) if isinstance(self.allow, str) else None
        if guava is not None:
            return guava
        expected = self.expected or sum(1 for _ in self._ids())
        if not expected:
            raise ValueError(f"allow: {shown(self.allow)} holds no ids; list those to let through")
        members = Members.sized(expected, self.false_positive)
        for item in self._ids():
            members.add(item)
        return members

    def _ids(self) -> Iterator[str]:
        """The ids of the list; read again on each call, so that a long file need not fit in memory."""
        return _lines(self.allow, self.separator) if isinstance(self.allow, str) else iter(self.allow)


def _list_or_path(value: object) -> Sequence[str] | str:
    if isinstance(value, str):
        return parameters.path("allow", value)
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"allow: must be a list of texts, or the path of a file (is {shown(value)})")
    return value


def _text(parameter: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{parameter}: must be a text, like ':' (is {shown(value)})")  # noqa: TRY004 - one error for all of config
    return value


def share(value: object) -> float:
    """The parameter `false_positive`, of whoever makes a filter.

    Raises:
        ValueError: it is no number between 0 and 1.
    """
    if not isinstance(value, float) or not 0.0 < value < 1.0:
        raise ValueError(f"false_positive: must be a number between 0 and 1, like 0.01 (is {shown(value)})")
    return value


def _guava(path: str) -> Members | None:
    """The filter in a file written by Guava; None if it begins like a text."""
    try:
        with Path(path).open("rb") as file:
            if file.read(1) not in (b"\0", b"\1"):
                return None
            file.seek(0)
            return Members.from_bytes(file.read())
    except OSError as error:
        raise ValueError(f"allow: {path} can't be read: {error.strerror}; give a file's path or a list") from error
    except ValueError as error:
        raise ValueError(f"allow: {path} {error}") from error


def _lines(path: str, separator: str | None) -> Iterator[str]:
    try:
        with Path(path).open(encoding="utf-8") as file:
            for count, line in enumerate(file, start=1):
                if item := _item(line.strip(), separator, f"{path}:{count}"):
                    yield item
    except UnicodeDecodeError as error:
        raise ValueError(f"allow: {path} is not UTF-8: {error.reason}; convert it") from error


def _item(line: str, separator: str | None, where: str) -> str:
    if separator is None and ":" in line:
        raise ValueError(
            f"allow: {where} has a colon; give separator ':' for lines like id:value, '' if it is part of the id"
        )
    return line.split(separator, maxsplit=1)[0].strip() if separator else line

"""A recorded feed read again: what each line says and when it was sent."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import orjson

from riot_tasks.senml import number, seconds
from riotd.replay.lines import lines

_RELATIVE = 2.0**28  # RFC 8428 section 4.5.3: a time below it is relative to now
_DIGITS = 15  # of milliseconds, which is until the year 33658
_SHOWN = 5


Timed = tuple[float | None, bytes]
"""When a message was sent first, in Unix seconds, or None if nobody knows; and its payload."""


class Recording:
    """Lines of a file or a pipe, each either `<epoch ms>,<pack>` or a SenML pack with a time of its own.

    A line with a time in front is a message whatever follows it: damaged packs are replayed as they are. A line
    without one must be JSON; headers, comments and empty lines are passed over, and counted.

    Args:
        path: the file, .gz packed or not; None is standard input.
        passes: how often to read it; 0 is for ever. Every pass is later than the one before, by a file's time.
        skip: lines at the beginning that are left out in each pass, whatever they are; RIoTBench's reader drops one.

    Attributes:
        messages: read so far.
        skipped: lines passed over.
        oddities: the first few of them in words, with line numbers.
        bytes: of the lines read.

    Raises:
        ValueError: standard input can't be read twice.
    """

    def __init__(self, path: Path | None, *, passes: int = 1, skip: int = 0) -> None:
        if path is None and passes != 1:
            raise ValueError("standard input can be read once only; give a file to replay it more often")
        self._path, self._passes, self._skip = path, passes, skip
        self.messages = self.skipped = self.bytes = 0
        self.oddities: list[str] = []
        self._line = 0
        self._span = _Span()

    async def groups(self) -> AsyncGenerator[list[Timed], None]:
        """The messages in groups, as the file gives them.

        Raises:
            OSError: it can't be opened or read. EOFError, zlib.error: a .gz is broken.
        """
        done, shift, messages = 0, 0.0, 1
        while messages and (not self._passes or done < self._passes):
            messages, self._line, self._span = 0, 0, _Span()
            async with aclosing(lines(self._path)) as groups:
                async for group in groups:
                    found = self._read(group, shift)
                    messages += len(found)
                    yield found
            done += 1
            shift += self._span.length

    def _read(self, group: list[bytes], shift: float) -> list[Timed]:
        found = []
        for line in group:
            self._line += 1
            self.bytes += len(line) + 1
            if self._line <= self._skip:
                continue
            if recorded := self._message(line.removesuffix(b"\r")):
                time, payload = recorded
                if time is not None:
                    self._span.add(time)
                    time += shift
                found.append((time, payload))
        self.messages += len(found)
        return found

    def _message(self, line: bytes) -> Timed | None:
        head, comma, payload = line.partition(b",")
        if comma and head.isdigit() and len(head) <= _DIGITS:
            return (int(head) / 1000, payload)
        try:
            return (_time(orjson.loads(line)), line)
        except orjson.JSONDecodeError:
            self.skipped += 1
            if len(self.oddities) < _SHOWN:
                what = "neither <epoch ms>,<SenML> nor SenML" if line else "empty"
                self.oddities.append(f"line {self._line}: {what}; passed over")
        return None


class _Span:
    """From the first time of a file to the last, and one step more, which is how long it lasts."""

    def __init__(self) -> None:
        self._first = self._last = 0.0
        self._count = 0

    def add(self, time: float) -> None:
        if not self._count:
            self._first = self._last = time
        self._last = max(self._last, time)
        self._count += 1

    @property
    def length(self) -> float:
        span = self._last - self._first
        return span + span / max(self._count - 1, 1)


def _time(pack: object) -> float | None:
    """Unix seconds of a pack's first entry; None if it has no time, or one relative to now."""
    entries = pack.get("e") if isinstance(pack, dict) else pack
    first = entries[0] if isinstance(entries, list) and entries else None
    base = pack if isinstance(pack, dict) else first
    if not isinstance(first, dict) or not isinstance(base, dict):
        return None
    try:
        time = seconds(_number(base.get("bt")) + _number(first.get("t")))
    except ValueError:
        return None
    return time if time >= _RELATIVE else None


def _number(value: object) -> float:
    if isinstance(value, str):
        return number(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0.0

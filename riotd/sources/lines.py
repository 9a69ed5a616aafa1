"""Lines out of the bytes of a file: whole ones, and never more than `max_line` of one in memory."""

import msgspec


class Cut(msgspec.Struct, frozen=True, gc=False):
    r"""What a piece of a file held.

    Attributes:
        lines: without their line ends (`\n` or `\r\n`), in order; blank ones are left out.
        ends: for each, the file offset behind its line end.
        used: bytes of the piece that are done with; the rest is the beginning of a line.
        blank: empty lines left out.
        overlong: lines among them that were cut short.
    """

    lines: list[bytes] = []
    ends: list[int] = []
    used: int = 0
    blank: int = 0
    overlong: int = 0


class LineCutter:
    """Cuts the successive pieces of one file.

    A line longer than `max_line` becomes its first `max_line` bytes and a note of how long it was, once its end has
    come; no parser takes that for a record, so that it ends as a dead letter that explains itself. What lies between
    is dropped as it is read.
    """

    def __init__(self, max_line: int, *, torn: bool = False) -> None:
        """`torn` is for a file that is read from the middle of a line: the rest of that line is passed over."""
        self._max_line = max_line
        self._blank = self._overlong = 0
        self._skipping = torn
        self._head: bytes | None = None
        self._length = 0
        self._last = b""

    def cut(self, data: bytes, at: int, *, final: bool = False) -> Cut:
        """Cut `data`, which begins at offset `at`, where the last cut's `used` ended.

        With `final` nothing follows, and what stands behind the last line end is a line too.
        """
        lines: list[bytes] = []
        ends: list[int] = []
        self._blank = self._overlong = 0
        begin = self._skip(data, at, lines, ends, final=final) if self._skipping else 0
        end = len(data) if final else data.rfind(b"\n", begin) + 1 or begin
        self._split(data[begin:end], at + begin, lines, ends)
        if len(data) - end > self._max_line + 1:  # + 1: the last byte may be the \r of the line end
            self._skipping, self._head, self._length = True, data[end : end + self._max_line], len(data) - end
            self._last = data[-1:]
            end = len(data)
        return Cut(lines, ends, end, self._blank, self._overlong)

    def _split(self, data: bytes, at: int, lines: list[bytes], ends: list[int]) -> None:
        parts = data.split(b"\n")
        if not parts[-1]:
            parts.pop()
        returns = b"\r" in data
        for part in parts:
            at += len(part) + 1
            line = part[:-1] if returns and part.endswith(b"\r") else part
            if not line:
                self._blank += 1
                continue
            lines.append(line if len(line) <= self._max_line else self._shortened(line[: self._max_line], len(line)))
            ends.append(at)

    def _skip(self, data: bytes, at: int, lines: list[bytes], ends: list[int], *, final: bool) -> int:
        """Pass over the rest of a line; gives where the next one begins in `data`."""
        newline = data.find(b"\n")
        self._length += newline if newline >= 0 else len(data)
        self._last = data[: newline if newline >= 0 else None][-1:] or self._last
        if newline < 0 and not final:
            return len(data)
        self._length -= self._last == b"\r"  # of the line end: however it is cut, the same line is told the same
        begin = newline + 1 or len(data)
        if self._head is not None:
            lines.append(self._shortened(self._head, self._length))
            ends.append(at + begin)
        self._skipping, self._head, self._length = False, None, 0
        return begin

    def _shortened(self, head: bytes, length: int) -> bytes:
        self._overlong += 1
        return head + b" ... [cut: a line of %d bytes, source.max_line is %d]" % (length, self._max_line)

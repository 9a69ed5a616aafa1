"""Refused lines in a file of their own, with the reasons."""

import time
from collections.abc import Sequence
from errno import ENOSPC
from types import TracebackType
from typing import IO, Self

from riotd.bounded.cutting import Cut
from riotd.bounded.reading import Input
from riotd.errors import TransportError
from riotd.letters import encode_letter
from riotd.messages import DeadLetter, Reject


class Letters:
    """JSON lines with time, stage, reason, id (the line's number), topic (the input's path) and payload (the line).

    Written as they come, so that they are there when a run stops early. Where an engine does not tell which portion an
    outcome is of, the lines are read once more in the end.

    Args:
        file: an unbuffered one, which several inputs may share; None keeps nothing.
        source: whose lines.
    """

    def __init__(self, file: IO[bytes] | None, source: Input) -> None:
        self._file, self._source = file, source
        self._late: list[Reject] = []

    def __enter__(self) -> Self:
        """Nothing to acquire."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is still owed."""
        if self._late and kind is None:
            self._write_late()

    def add(self, rejects: Sequence[Reject], cut: Cut | None) -> None:
        """Keep these, which the lines of a cut gave, if one knows which."""
        if self._file is None:
            return
        if cut is None:
            self._late += rejects
            return
        payloads = {
            number: payload
            for _, portion in cut.portions
            for number, payload in zip(portion.ids, portion.payloads, strict=True)
        }
        self._write(rejects, payloads)

    def _write(self, rejects: Sequence[Reject], payloads: dict[int, bytes]) -> None:
        now, name = time.time(), self._source.name
        letters = [
            DeadLetter(now, each.stage, each.reason, each.id, name, payloads.get(each.id, b"")) for each in rejects
        ]
        data = b"".join([encode_letter(letter) + b"\n" for letter in letters])
        try:
            if self._file is not None and self._file.write(data) != len(data):
                raise OSError(ENOSPC, "the disk is full")  # noqa: TRY301 - what a raw file does not raise itself
        except OSError as error:
            raise TransportError(f"refused lines can't be written: {error.strerror}") from error

    def _write_late(self) -> None:
        """The lines, if the input can be read twice."""
        wanted = {each.id for each in self._late}
        payloads: dict[int, bytes] = {}
        for first, lines, _ in self._source if self._source.size is not None else ():
            numbers = range(first, first + len(lines))
            payloads |= {number: line for number, line in zip(numbers, lines, strict=True) if number in wanted}
        self._write(sorted(self._late, key=lambda each: each.id), payloads)

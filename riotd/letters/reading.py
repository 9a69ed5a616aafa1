"""Letters of a store, the oldest first, while a daemon may write on."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import msgspec

from riotd.letters.encoding import decode_letter
from riotd.letters.replayed import Replayed
from riotd.messages import DeadLetter


class Letter(msgspec.Struct, frozen=True):
    """A dead letter as it lies in a store.

    Attributes:
        number: 1, 2, 3, ...; what people call it by.
        letter: what is in it.
        times: how often its message was refused by then.
        replayed: when it was sent again, Unix seconds; None if it was not.
    """

    number: int
    letter: DeadLetter
    times: int = 1
    replayed: float | None = None


def parts(path: Path) -> list[Path]:
    """The files of a store, the oldest first: `<path>.2`, `<path>.1`, `<path>`."""
    prefix = f"{path.name}."
    found = [each for each in path.parent.iterdir() if each.name.startswith(prefix) and _number(each)]
    older = sorted(found, key=_number, reverse=True)
    return [*older, path] if path.exists() else older


def read_letters(path: Path) -> Iterator[Letter]:
    """All letters; lines that are none are passed over.

    A line without a number, of somebody else's making, counts as the one after the line before it.

    Raises:
        OSError: the folder or a file can't be read.
    """
    replayed, last, said = Replayed(path), 0, 0
    with ExitStack() as stack:
        files: list[IO[bytes]] = []
        for part in parts(path):
            with suppress(
                FileNotFoundError
            ):  # it was rotated meanwhile: its letters come under another name, or are gone
                files.append(stack.enter_context(part.open("rb")))
        for file in files:
            for line in file:
                try:
                    letter, number, times = decode_letter(line)
                except ValueError:
                    continue
                if 0 < number <= said:
                    continue  # the same file under two names
                said = max(said, number)
                last = number = number or last + 1
                entry = replayed.letter(number)
                yield Letter(number, letter, times, None if entry is None else entry.time)


def _number(path: Path) -> int:
    """The n of `<name>.n`, 0 if there is none."""
    suffix = path.suffix[1:]
    return int(suffix) if suffix.isascii() and suffix.isdigit() else 0

"""What a drill is about: a dataflow, what it is fed, and what its results are known by."""

from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec


class Finding(NamedTuple):
    """What a result is known by: its stream, its key within the stream, and what it says."""

    stream: str
    key: Hashable
    content: Hashable = None


class Item(msgspec.Struct, frozen=True):
    """A message to send, and what comes of it, if that is known of a single one."""

    topic: str
    payload: bytes
    finding: Finding | None = None


class Subject(Protocol):
    """A dataflow to be drilled."""

    @property
    def engine(self) -> str:
        """`inline` or `ray`."""

    @property
    def batch(self) -> int:
        """Messages in a batch, at most."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Where its results are, for an MQTT subscription."""

    @property
    def immediate(self) -> bool:
        """Whether items say what comes of them; else that is learnt from a run without faults."""

    def items(self) -> Iterator[Item]:
        """What it is fed, the same each time."""

    def prepare(self, folder: Path, *, inlet: int, outlet: int) -> Sequence[str]:
        """Write what a daemon needs into an empty folder; arguments of `riotd run`.

        Args:
            folder: for state and dead letters.
            inlet: port of the broker, or of a proxy before it, for what comes.
            outlet: the same for what goes.
        """

    def read(self, topic: str, payload: bytes) -> Finding | None:
        """What a result is known by; None if it is none."""

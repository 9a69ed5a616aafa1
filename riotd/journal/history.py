"""What the journal says was done, in order, as the pump does it again."""

from collections import deque
from collections.abc import Iterator

from riotd.journal.frames import Dispatch, Frame, Group, Identity, Tick, identity
from riotd.messages import Message, Past

Numbers = dict[Identity, deque[int]]
"""Numbers of messages that may come again, by what they are known by; few have more than one."""


class History:
    """What the journal's frames say was done, in order; read as it is asked for.

    Args:
        frames: from `Log.read`.
        received: monotonic seconds that the messages get.

    Attributes:
        left: at the end, messages that were taken in and went nowhere.
        watched: origins of messages that may all come again, as their sources go on where they were at the snapshot,
            as those of files; their marks are places. To be set before the source is told, and before it is read.
        seen: those of them that have gone by, and perhaps some from before, of which `note` was told.
    """

    def __init__(self, frames: Iterator[Frame], *, received: float) -> None:
        self.left: deque[tuple[int, Message]] = deque()
        self._frames, self._received = frames, received
        self.watched: frozenset[int] = frozenset()
        self.seen: Numbers = {}

    def __iter__(self) -> Iterator[Past]:
        """Batches and ticks."""
        for frame in self._frames:
            if isinstance(frame, Group):
                self._take(frame)
            elif isinstance(frame, Tick):
                yield Past(frame.now)
            elif isinstance(frame, Dispatch) and (taken := self._below(frame.first + frame.count)):
                yield Past(frame.now, taken[0][0], tuple(message for _, message in taken))

    def note(self, known: Identity, number: int) -> None:
        """A message of this number may come again."""
        if known in self.seen:
            self.seen[known].append(number)
        else:
            self.seen[known] = deque([number])

    def _take(self, group: Group) -> None:
        for number, row in enumerate(group.messages, group.first) if self.watched else ():
            if row[0] in self.watched:
                self.note(identity(*row), number)
        messages = (
            Message(topic, payload, self._received, None, origin) for origin, topic, payload, _ in group.messages
        )
        self.left.extend(enumerate(messages, group.first))

    def _below(self, end: int) -> list[tuple[int, Message]]:
        taken = []
        while self.left and self.left[0][0] < end:
            taken.append(self.left.popleft())
        return taken

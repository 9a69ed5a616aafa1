"""When a micro-batch closes: full, or its first message has waited long enough."""

from collections import deque
from collections.abc import Sequence

import msgspec

from riotd.messages import Batch, Message


class Limits(msgspec.Struct, frozen=True):
    """What closes a batch, whichever comes first.

    Attributes:
        max_records: messages in one batch.
        max_bytes: payload bytes in one batch; a single larger message still travels, alone.
        max_wait: seconds the first message waits for company.
    """

    max_records: int
    max_bytes: int
    max_wait: float


_BESIDE = 1024
"""Bytes a message that waits takes beside its payload, generously."""


class Batcher:
    """Messages that wait to become batches, in the order of arrival; numbers both.

    Knows no time of its own and starts nothing: `ready(now)` says whether a batch should be taken, `due()` when
    to ask again. Whoever asks may wait longer, for a credit: the batch then grows up to its limits, which is how
    batches adapt to the load.
    """

    def __init__(self, limits: Limits, *, first_id: int = 0) -> None:
        self.limits = limits
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._next_message = first_id
        self._next_batch = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def next(self) -> int:
        """The id that the first message of the next batch will have."""
        return self._next_message

    def number_from(self, message_id: int) -> None:
        """Go on with this id; before anything waits."""
        self._next_message = message_id

    @property
    def waiting(self) -> Sequence[Message]:
        """The messages, in order."""
        return tuple(self._waiting)

    @property
    def bytes(self) -> int:
        """Payload bytes waiting."""
        return self._bytes

    @property
    def held(self) -> int:
        """Bytes the messages take that wait."""
        return self._bytes + _BESIDE * len(self._waiting)

    def add(self, messages: Sequence[Message]) -> None:
        """Let messages wait."""
        self._waiting.extend(messages)
        self._bytes += sum([len(message.payload) for message in messages])

    def full(self) -> bool:
        """Whether at least one whole batch waits."""
        return len(self._waiting) >= self.limits.max_records or self._bytes >= self.limits.max_bytes

    def due(self) -> float | None:
        """The instant, monotonic, at which the first message will have waited long enough; None if none waits."""
        return self._waiting[0].received + self.limits.max_wait if self._waiting else None

    def ready(self, now: float) -> bool:
        """Whether a batch should be taken now."""
        return bool(self._waiting) and (self.full() or now >= self._waiting[0].received + self.limits.max_wait)

    def take(self) -> Batch:
        """The next batch: as many of the waiting messages as its limits allow, at least one.

        Raises:
            IndexError: none waits.
        """
        waiting, limits = self._waiting, self.limits
        if len(waiting) <= limits.max_records and self._bytes <= limits.max_bytes:
            messages = tuple(waiting)
            waiting.clear()
            taken = self._bytes
        else:
            messages, taken = self._prefix()
        self._bytes -= taken
        if not messages:
            raise IndexError("no message waits")
        batch = Batch(self._next_batch, self._next_message, messages)
        self._next_batch += 1
        self._next_message += len(messages)
        return batch

    def again(self, first: int, messages: tuple[Message, ...]) -> Batch:
        """A batch as it was taken before, in an earlier life; the next message's id is the one behind it."""
        batch = Batch(self._next_batch, first, messages)
        self._next_batch += 1
        self._next_message = first + len(messages)
        return batch

    def _prefix(self) -> tuple[tuple[Message, ...], int]:
        """The longest prefix within the limits, at least one message, and its bytes; removed from those waiting."""
        waiting, limits = self._waiting, self.limits
        messages = [waiting.popleft()]
        taken = len(messages[0].payload)
        while waiting and len(messages) < limits.max_records:
            size = len(waiting[0].payload)
            if taken + size > limits.max_bytes:
                break
            messages.append(waiting.popleft())
            taken += size
        return tuple(messages), taken

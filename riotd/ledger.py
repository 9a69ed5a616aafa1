"""Which messages are in flight and which may be acknowledged: received = settled + in flight, always."""

from collections import deque

from riotd.messages import Batch, Message

_BESIDE = 4096
"""Bytes a message takes beside its payload. Measured at QoS 1: 4.8 kB for each of 65,000 unacknowledged messages, in
the client's books, its acknowledgement, our lists."""


class Ledger:
    """Every message's one fate. A message is received, dispatched in a batch, and settled when its results are kept.

    Batches may settle in any order; messages are released for acknowledgement in the order of arrival only,
    from a finished prefix.
    """

    def __init__(self) -> None:
        self.received = 0
        self.settled = 0
        self.dispatched = 0
        self._open: deque[Batch] = deque()
        self._done: set[int] = set()
        self._bytes = 0

    @property
    def in_flight(self) -> int:
        """Messages received and not settled; those that wait for a batch are among them."""
        return self.received - self.settled

    @property
    def idle(self) -> bool:
        """Whether all that was dispatched is settled."""
        return self.dispatched == self.settled

    @property
    def in_flight_bytes(self) -> int:
        """What batches occupy from dispatch until the prefix they are in is released."""
        return self._bytes

    def receive(self, count: int) -> None:
        """So many messages came in."""
        self.received += count

    def open(self, batch: Batch) -> None:
        """A batch of what was received is dispatched; in the order of arrival."""
        self.dispatched += len(batch.messages)
        self._bytes += size(batch)
        self._open.append(batch)

    def settle(self, batch: Batch) -> list[Message]:
        """Close a batch; the messages that may now be acknowledged, in order, perhaps none.

        Raises:
            KeyError: the batch was settled before, or never opened.
        """
        if batch.id in self._done or not any(batch.id == known.id for known in self._open):
            raise KeyError(f"batch {batch.id} is not open")
        self._done.add(batch.id)
        self.settled += len(batch.messages)
        free: list[Message] = []
        while self._open and self._open[0].id in self._done:
            first = self._open.popleft()
            self._done.remove(first.id)
            self._bytes -= size(first)
            free.extend(first.messages)
        return free


def size(batch: Batch) -> int:
    """Bytes a batch occupies: its payloads, and an allowance for what is kept beside each."""
    return sum([len(message.payload) for message in batch.messages]) + _BESIDE * len(batch.messages)

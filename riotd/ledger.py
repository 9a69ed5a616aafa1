"""Which messages are in flight and which may be acknowledged: received = settled + in flight, always."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from riotd.alarms import Alarm, residue
from riotd.channels import Channels
from riotd.messages import Batch, Message

_BESIDE = 4096
"""Bytes a message takes beside its payload. Measured at QoS 1: 4.8 kB for each of 65,000 unacknowledged messages, in
the client's books, its acknowledgement, our lists."""


class _Undone(NamedTuple):
    """A batch on its way: how many messages it has, and how many by each channel."""

    messages: int
    by_channel: Mapping[int, int]


class _Book:
    """What became of the messages of one channel."""

    __slots__ = ("dispatched", "rejected", "replayed", "settled")

    def __init__(self) -> None:
        self.dispatched = self.replayed = self.settled = self.rejected = 0


class Ledger:
    """Every message's one fate. A message is received, dispatched in a batch, and settled when its results are kept.

    Batches may settle in any order; messages are released for acknowledgement in the order of arrival only,
    from a finished prefix.

    What is received, what is dispatched and what is settled are counted where they happen, each for itself; so their
    sums are checks, not definitions. Beside the totals there is a book for each channel, whose messages are told when
    they are dispatched, once, since it costs 0.06 µs each: what it has received is what was dispatched or waits.

    Args:
        channels: tells messages by the way they came; default all are of one.
    """

    def __init__(self, channels: Channels | None = None) -> None:
        self.received = 0
        self.settled = 0
        self.dispatched = 0
        self.replayed = 0
        """Of those dispatched, how many an earlier life of the daemon had received."""
        self._channels = channels or Channels()
        self._books = [_Book() for _ in self._channels.all]
        self._elsewhere = 0
        self._open: deque[Batch] = deque()
        self._undone: dict[int, _Undone] = {}
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

    def open(self, batch: Batch, *, known_below: int = 0) -> None:
        """A batch of what was received is dispatched; in the order of arrival.

        Args:
            batch: the next one.
            known_below: messages of ids below this were received in an earlier life already.
        """
        count, by_channel = len(batch.messages), self._channels.count(batch.messages)
        self.dispatched += count
        self._bytes += size(batch)
        self._open.append(batch)
        self._undone[batch.id] = _Undone(count, by_channel)
        for channel, some in by_channel.items():
            self._books[channel].dispatched += some
        if known := batch.messages[: max(known_below - batch.first, 0)]:
            self.replayed += len(known)
            for channel, again in self._channels.count(known).items():
                self._books[channel].replayed += again

    def reject(self, batch: Batch, ids: Iterable[int]) -> None:
        """Dead letters of messages of these ids, an id for each; a flush refuses older ones, which no batch has."""
        for message_id in ids:
            if message_id in batch:
                self._books[self._channels.of(batch.message(message_id))].rejected += 1
            else:
                self._elsewhere += 1

    def settle(self, batch: Batch) -> list[Message]:
        """Close a batch; the messages that may now be acknowledged, in order, perhaps none.

        Raises:
            KeyError: the batch was settled before, or never opened.
        """
        undone = self._undone.pop(batch.id, None)
        if undone is None:
            raise KeyError(f"batch {batch.id} is not open")
        self.settled += undone.messages
        for channel, count in undone.by_channel.items():
            self._books[channel].settled += count
        free: list[Message] = []
        while self._open and self._open[0].id not in self._undone:
            first = self._open.popleft()
            self._bytes -= size(first)
            free.extend(first.messages)
        return free

    def alarms(self, waiting: Sequence[Message]) -> list[Alarm]:
        """What does not add up.

        Args:
            waiting: messages that were received and wait for a batch.
        """
        under_way = sum(undone.messages for undone in self._undone.values())
        found = residue("dispatched", self.dispatched, "dispatched", settled=self.settled, under_way=under_way)
        in_flight = under_way + len(waiting)
        found += residue("ledger", self.received, "received", settled=self.settled, in_flight=in_flight)
        rows = self._rows(waiting)
        for row in rows if len(rows) > 1 else ():
            where = f"ledger of {row['source']} {row['filter']}".rstrip()
            right = {"settled": row["settled"], "in_flight": row["in_flight"]}
            found += residue(where, row["received"], "received", **right)
        return found

    def report(self, waiting: Sequence[Message]) -> dict[str, Any]:
        """The books as plain data: the totals, and a row for each channel by which something came.

        Args:
            waiting: messages that were received and wait for a batch.
        """
        in_flight = len(waiting) + sum(undone.messages for undone in self._undone.values())
        return {
            "received": self.received,
            "replayed": self.replayed,
            "settled": self.settled,
            "in_flight": in_flight,
            "rejected": sum(book.rejected for book in self._books) + self._elsewhere,
            "residue": self.received - self.settled - in_flight,
            "sources": self._rows(waiting),
        }

    def _rows(self, waiting: Sequence[Message]) -> list[dict[str, Any]]:
        waits = self._channels.count(waiting)
        rows = []
        for channel, (way, book) in enumerate(zip(self._channels.all, self._books, strict=True)):
            received = book.dispatched + waits.get(channel, 0)
            if not (way.filter or received) and len(self._books) > 1:
                continue  # what came by no known filter is a row only if there is any
            in_flight = waits.get(channel, 0)
            in_flight += sum(undone.by_channel.get(channel, 0) for undone in self._undone.values())
            row: dict[str, Any] = {"source": way.source, "filter": way.filter}
            row |= {"received": received, "replayed": book.replayed, "settled": book.settled, "in_flight": in_flight}
            rows.append({**row, "rejected": book.rejected, "residue": received - book.settled - in_flight})
        return rows


def size(batch: Batch) -> int:
    """Bytes a batch occupies: its payloads, and an allowance for what is kept beside each."""
    return sum([len(message.payload) for message in batch.messages]) + _BESIDE * len(batch.messages)

"""Micro-batches: when they close and what they hold."""

from hypothesis import given
from hypothesis import strategies as st

from riotd.batching import Batcher, Limits
from riotd.messages import Message


def messages(*sizes: int, at: float = 0.0) -> list[Message]:
    return [Message("t", bytes(size), at) for size in sizes]


LIMITS = Limits(max_records=3, max_bytes=100, max_wait=0.5)


class TestClosing:
    def test_waits_for_company(self) -> None:
        """A batch that is neither full nor old is not ready."""
        batcher = Batcher(LIMITS)
        batcher.add(messages(10, at=1.0))
        assert not batcher.ready(1.49)
        assert batcher.due() == 1.5

    def test_closes_when_old(self) -> None:
        """A batch is ready once its first message has waited max_wait, however few there are."""
        batcher = Batcher(LIMITS)
        batcher.add(messages(10, at=1.0))
        batcher.add(messages(10, at=1.4))
        assert batcher.ready(1.5)
        assert len(batcher.take().messages) == 2

    def test_closes_on_records(self) -> None:
        """max_records messages are a batch at once; the next one waits for the next."""
        batcher = Batcher(LIMITS)
        batcher.add(messages(1, 1, 1, 1))
        assert batcher.ready(0.0)
        assert len(batcher.take().messages) == 3
        assert not batcher.ready(0.4)

    def test_closes_on_bytes(self) -> None:
        """A batch never holds more than max_bytes if that can be helped."""
        batcher = Batcher(LIMITS)
        batcher.add(messages(60, 60))
        assert batcher.ready(0.0)
        assert len(batcher.take().messages) == 1
        assert batcher.bytes == 60

    def test_a_giant_travels_alone(self) -> None:
        """A message larger than max_bytes is a batch of its own and stalls nobody."""
        batcher = Batcher(LIMITS)
        batcher.add(messages(10, 5000, 10))
        assert [len(batcher.take().messages) for _ in range(3)] == [1, 1, 1]

    def test_nothing_waits(self) -> None:
        """An empty batcher is never ready and has no due time."""
        batcher = Batcher(LIMITS)
        assert not batcher.ready(1e9)
        assert batcher.due() is None


@given(st.lists(st.integers(0, 150), max_size=60), st.integers(1, 7), st.integers(1, 200))
def test_every_message_is_in_exactly_one_batch_in_order(sizes: list[int], records: int, size: int) -> None:
    """Batches, laid end to end, are what was added; ids rise without gaps; limits hold."""
    batcher = Batcher(Limits(records, size, 0.0), first_id=1000)
    arrived = [Message(str(index), bytes(length), 0.0) for index, length in enumerate(sizes)]
    batcher.add(arrived)
    batches = []
    while len(batcher):
        batches.append(batcher.take())
    assert [message for batch in batches for message in batch.messages] == arrived
    assert [batch.id for batch in batches] == list(range(len(batches)))
    expected = 1000
    for batch in batches:
        assert batch.first == expected
        expected += len(batch.messages)
        assert len(batch.messages) <= records
        assert len(batch.messages) == 1 or sum(len(message.payload) for message in batch.messages) <= size
    assert batcher.bytes == 0

"""The ledger: every message has one fate, and acknowledgement keeps the order of arrival."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.ledger import Ledger, size
from riotd.messages import Batch, Message


def batches(*counts: int) -> list[Batch]:
    made, first = [], 0
    for number, count in enumerate(counts):
        made.append(Batch(number, first, tuple(Message(str(first + i), b"12345", 0.0) for i in range(count))))
        first += count
    return made


def opened(ledger: Ledger, made: list[Batch]) -> list[Batch]:
    for batch in made:
        ledger.receive(batch.messages)
        ledger.open(batch)
    return made


def test_a_later_batch_waits_for_an_earlier_one() -> None:
    """A batch that finishes first is not acknowledged before the one that came first."""
    ledger = Ledger()
    one, two = opened(ledger, batches(2, 3))
    assert ledger.settle(two) == []
    assert [message.topic for message in ledger.settle(one)] == ["0", "1", "2", "3", "4"]


def test_settling_twice_is_a_bug() -> None:
    """A batch has one fate: settling it a second time, or one never opened, raises."""
    ledger, (one, two) = Ledger(), batches(1, 1)
    ledger.open(one)
    ledger.settle(one)
    with pytest.raises(KeyError):
        ledger.settle(one)
    with pytest.raises(KeyError):
        ledger.settle(two)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_books_always_balance(counts: list[int], random) -> None:  # noqa: ANN001 - hypothesis' own Random
    """In any order of finishing, received = settled + in flight, and acknowledgements are the arrivals in order."""
    ledger = Ledger()
    made = opened(ledger, batches(*counts))
    order = made.copy()
    random.shuffle(order)
    acknowledged = []
    for batch in order:
        acknowledged += ledger.settle(batch)
        assert ledger.received == ledger.settled + ledger.in_flight
        assert [message.topic for message in acknowledged] == [str(number) for number in range(len(acknowledged))]
    assert len(acknowledged) == sum(counts)
    assert ledger.in_flight == ledger.in_flight_bytes == 0


def test_bytes_are_held_until_release() -> None:
    """What waits behind an unfinished batch still counts against the budget."""
    ledger = Ledger()
    one, two = opened(ledger, batches(1, 1))
    ledger.settle(two)
    assert ledger.in_flight_bytes == size(one) + size(two)

"""The ledger: every message has one fate, and acknowledgement keeps the order of arrival."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.channels import Channels
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
        ledger.receive(len(batch.messages))
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


def books_of_three() -> Ledger:
    return Ledger(Channels({"feed": ["in/a", "in/b"], "tick": ["timer/tick"]}))


def came(*topics: str) -> tuple[Message, ...]:
    return tuple(Message(topic, b"", 0.0, None, int(topic.startswith("timer"))) for topic in topics)


class TestBooks:
    """A book for each source and topic filter."""

    def test_each_way_has_its_own_sum(self) -> None:
        """What waits, what is under way and what is settled are told by source and filter, and add up."""
        ledger, sent = books_of_three(), came("in/a", "in/b", "timer/tick", "in/a", "in/b")
        ledger.receive(len(sent))
        one, two = Batch(0, 10, sent[:2]), Batch(1, 12, sent[2:4])
        ledger.open(one)
        ledger.open(two)
        ledger.settle(one)
        books = ledger.report(sent[4:])
        rows = [(row["filter"], row["received"], row["settled"], row["in_flight"]) for row in books["sources"]]
        assert rows == [("in/a", 2, 1, 1), ("in/b", 2, 1, 1), ("timer/tick", 1, 0, 1)]
        assert (books["received"], books["settled"], books["in_flight"], books["residue"]) == (5, 2, 3, 0)
        assert ledger.alarms(sent[4:]) == []

    def test_what_came_by_no_filter_is_a_row_of_its_own(self) -> None:
        """A topic that no filter stands for, of a subscription from before, is seen as soon as one comes."""
        ledger = books_of_three()
        assert [row["filter"] for row in ledger.report(())["sources"]] == ["in/a", "in/b", "timer/tick"]
        sent = came("stale")
        ledger.receive(len(sent))
        assert [row["filter"] for row in ledger.report(sent)["sources"]] == ["in/a", "in/b", "", "timer/tick"]

    def test_dead_letters_count_where_their_message_came_from(self) -> None:
        """A refusal is its message's; one of a message that is no more known is in the total only."""
        ledger, sent = books_of_three(), came("in/a", "in/b")
        batch = Batch(0, 10, sent)
        ledger.receive(len(sent))
        ledger.open(batch)
        ledger.reject(batch, [11, 11, 7])
        books = ledger.report(())
        assert [row["rejected"] for row in books["sources"]] == [0, 2, 0]
        assert books["rejected"] == 3

    def test_what_an_earlier_life_received_is_said(self) -> None:
        """Messages below the first new id count as replayed, by source and filter, also amid a batch."""
        ledger, sent = books_of_three(), came("in/a", "in/b", "in/a")
        ledger.receive(len(sent))
        ledger.open(Batch(0, 10, sent), known_below=12)
        books = ledger.report(())
        assert books["replayed"] == 2
        assert [row["replayed"] for row in books["sources"]] == [1, 1, 0]

    def test_a_lost_message_is_an_alarm(self) -> None:
        """A message that was received and neither waits nor is under way is missed."""
        ledger, sent = books_of_three(), came("in/a", "in/b")
        ledger.receive(len(sent))
        ledger.open(Batch(0, 0, sent[:1]))
        assert [(alarm.where, alarm.residue) for alarm in ledger.alarms(())] == [("ledger", 1)]
        assert ledger.report(())["residue"] == 1

    @given(st.lists(st.tuples(st.sampled_from(["in/a", "in/b", "x", "timer/t"]), st.booleans()), max_size=40))
    def test_the_rows_are_the_total(self, steps: list[tuple[str, bool]]) -> None:
        """Whatever is settled and whatever not, every column of the rows adds up to the total's."""
        ledger = books_of_three()
        for number, (topic, settled) in enumerate(steps):
            batch = Batch(number, number, came(topic))
            ledger.receive(len(batch.messages))
            ledger.open(batch, known_below=5)
            if settled:
                ledger.settle(batch)
        books = ledger.report(())
        for name in ("received", "replayed", "settled", "in_flight", "rejected", "residue"):
            assert books[name] == sum(row[name] for row in books["sources"])
        assert ledger.alarms(()) == []

"""Figures: quantiles, windows, stages, shards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.messages import Batch, Message, Outcome, Portion, Reject, Tally
from riotd.quantiles import Sketch
from riotd.stats import Stats

values = st.lists(st.floats(1e-6, 86_400), min_size=1, max_size=200)


class TestSketch:
    @given(values, st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
    def test_quantiles_are_within_one_percent(self, numbers: list[float], share: float) -> None:
        """Any quantile is within 1 % of the value at its rank."""
        sketch = Sketch()
        for number in numbers:
            sketch.add(number)
        exact = float(np.quantile(numbers, share, method="lower"))
        assert sketch.quantile(share) == pytest.approx(exact, rel=0.0101)

    @given(values, values)
    def test_merging_is_counting_together(self, one: list[float], other: list[float]) -> None:
        """Merged sketches say what one sketch over all would say."""
        left, right, whole = Sketch(), Sketch(), Sketch()
        for number in one:
            left.add(number)
        for number in other:
            right.add(number)
        for number in one + other:
            whole.add(number)
        left.merge(right)
        assert (left.count, left.max) == (whole.count, whole.max)
        assert left.quantile(0.9) == whole.quantile(0.9)

    def test_empty_says_zero(self) -> None:
        """No values, no quantiles, no crash."""
        assert Sketch().quantile(0.5) == 0.0

    def test_memory_is_bounded(self) -> None:
        """Values over the whole range fill a bounded number of buckets."""
        sketch = Sketch()
        for exponent in range(-200_000, 200_000):
            sketch.add(10 ** (exponent / 10_000))
        assert len(sketch._buckets) < 1300


def batch_of(*received: float) -> Batch:
    return Batch(0, 0, tuple(Message("t", b"1234", at) for at in received))


def stats() -> Stats:
    return Stats(["parse", "mean"], shards=2, now=0.0)


def test_latency_counts_every_message() -> None:
    """Messages of one batch with different times of receipt each count with their own latency."""
    figures = stats()
    batch = batch_of(0.0, 0.0, 0.5)
    figures.settled_batch(batch, 3, 0, 1.0)
    latency = figures.report(1.0)["latency_ms"]
    assert latency["count"] == 3
    assert latency["max"] == 1000
    assert latency["p50"] == pytest.approx(1000, rel=0.01)


def test_windows_start_anew_and_totals_go_on() -> None:
    """A second report has its own window and the sum since start."""
    figures = stats()
    for now in (1.0, 2.0):
        batch = batch_of(now, now)
        figures.dispatched(batch, {0: Portion(0, now, [0, 1], ["", ""], [b"", b""])}, now)
        figures.settled_batch(batch, 2, 1, now)
        report = figures.report(now)
    assert report["window"]["received"] == 2
    assert report["window"]["received_per_s"] == 2.0
    assert report["messages"] == {"received": 4, "settled": 4, "results": 4, "rejected": 2, "bytes": 16}


def test_stages_and_shards_add_up() -> None:
    """Tallies of all shards are summed per stage; busy time per shard."""
    figures = stats()
    for shard in (0, 1):
        figures.outcome(shard, Outcome(0, [], [], [Tally(5, 4, 0, 1, 4, 0.25), Tally(4, 1, 3, 0, 1, 0.25)], keys=7))
    report = figures.report(1.0)
    assert report["stages"][0] == {
        "id": "parse",
        "in": 10,
        "out": 8,
        "filtered": 0,
        "rejected": 2,
        "emitted": 8,
        "residue": 0,
        "busy_s": 0.5,
    }
    assert [shard["load"] for shard in report["shards"]] == [0.5, 0.5]
    assert [shard["tasks"] for shard in report["shards"]] == [7, 7]


def test_replanning_keeps_what_stays() -> None:
    """After a reload the figures of a stage that is still there go on."""
    figures = stats()
    figures.outcome(0, Outcome(0, [], [], [Tally(5, 5, 0, 0, 5), Tally(5, 5, 0, 0, 5)]))
    figures.replan(["mean", "new"])
    assert [(stage["id"], stage["in"]) for stage in figures.report(1.0)["stages"]] == [("mean", 5), ("new", 0)]


def test_looking_leaves_the_window_as_it_is() -> None:
    """Who only looks gets the window under way with the one before; the reporter's own windows are not cut short."""
    figures = stats()
    for number in range(3):
        batch = batch_of(float(number))
        figures.dispatched(batch, {0: Portion(0, 0.0, [0], [""], [b""])}, number)
        figures.settled_batch(batch, 1, 0, number + 0.5)
        figures.outcome(0, Outcome(0, [], [], [Tally(1, 1, 0, 0, 1, 0.2)]))
        if number < 2:
            figures.report(number + 1.0)
    for _ in range(2):
        looked = figures.report(2.5, look=True)
    assert (looked["window"]["settled"], looked["window"]["seconds"], looked["messages"]["settled"]) == (2, 1.5, 3)
    assert looked["shards"][0]["load"] == pytest.approx(0.4 / 1.5, abs=1e-4)
    report = figures.report(3.0)
    assert (report["window"]["settled"], report["window"]["seconds"], report["shards"][0]["load"]) == (1, 1.0, 0.2)


def test_a_tally_that_does_not_add_up_is_an_alarm() -> None:
    """A stage whose records have no fate is told of, with how many, for as long as it is so."""
    figures = stats()
    figures.outcome(0, Outcome(0, [], [], [Tally(5, 3, 1, 0, 3), Tally(3, 3, 0, 0, 3)]))
    (alarm,) = figures.alarms()
    assert (alarm.where, alarm.residue) == ("stage parse", 1)
    assert [stage["residue"] for stage in figures.report(1.0)["stages"]] == [1, 0]


def test_messages_that_no_shard_was_sent_are_an_alarm() -> None:
    """Portions must have the batch's messages, each once; what goes to every shard is mute in all but one."""
    figures = stats()
    portions = {
        shard: Portion(0, 0.0, [0, 1], ["", ""], [b"", b""], mute=[0, 1] if shard else []) for shard in range(2)
    }
    figures.dispatched(batch_of(0.0, 0.0), portions, 0.0)
    assert figures.alarms() == []
    figures.dispatched(batch_of(0.0, 0.0, 0.0), {0: portions[0]}, 0.0)
    assert [(alarm.where, alarm.residue) for alarm in figures.alarms()] == [("shards", 1)]


def with_entrances() -> Stats:
    return Stats(["parse", "ticks"], shards=1, now=0.0, entrances={"parse": (0,), "ticks": (1,)})


def mixed() -> Portion:
    return Portion(0, 0.0, [0, 1, 2], [""] * 3, [b""] * 3, origins=[0, 1, 0])


class TestEntrances:
    """Stages that get every message must tell of every message."""

    def test_what_each_is_handed_is_what_its_sources_sent(self) -> None:
        """Messages are counted by source; later passes hand entrances nothing."""
        figures = with_entrances()
        assert figures.handed(mixed()) == [2, 1]
        assert figures.handed(Portion(0, 0.0, [], [], [], level=1)) == []

    def test_an_answer_without_tallies_is_an_alarm(self) -> None:
        """An engine that answers for messages, but not what became of them, is found out."""
        figures = with_entrances()
        figures.outcome(0, Outcome(0, [], [], []), figures.handed(mixed()))
        found = [(alarm.where, alarm.residue) for alarm in figures.alarms()]
        assert found == [("input of stage parse", 2), ("input of stage ticks", 1)]

    def test_a_message_that_the_engine_refused_is_none(self) -> None:
        """A message that killed its worker is a dead letter in no stage's name: nothing is missing."""
        figures = with_entrances()
        refused = [Reject("worker", 0, "killed its worker")]
        figures.outcome(0, Outcome(0, [], refused, [Tally(1, 1, 0, 0, 1), Tally(1, 1, 0, 0, 1)]), [2, 1])
        assert figures.alarms() == []

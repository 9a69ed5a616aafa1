"""The pump: what it takes in comes out, in order, within bounds, and is acknowledged only then."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from riotd.batching import Batcher, Limits
from riotd.budget import Budget
from riotd.clock import SystemClock
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.messages import Message
from riotd.partitioning import Keying, Partitioner, by_topic_level
from riotd.pump import Books, Ends, Pump
from riotd.stats import Stats
from riotd.testing import ABORT, PAUSE, Abort, Cue, ListRejects, ListSink, ListSource
from tests.sample_tasks import Gated

COUNTER, MOODY = "tests.sample_tasks:Counter", "tests.sample_tasks:Moody"


def plan_of(*stages: Stage, sinks: int = 1) -> Plan:
    return Plan(stages, tuple(Outlet(f"sink{number}", (stages[-1].id,), "json") for number in range(sinks)))


class Bench:
    """A pump between doubles, on the real inline engine."""

    def __init__(
        self,
        items: Sequence[Message | bytes | Cue],
        *,
        plan: Plan | None = None,
        shards: int = 2,
        limits: Limits | None = None,
        max_in_flight: int = 10**6,
        at_once: int = 7,
        budget: Budget | None = None,
    ) -> None:
        clock = SystemClock()
        self.plan = plan or plan_of(Stage("n", COUNTER))
        self.source = ListSource(items, at_once=at_once, clock=clock)
        self.sinks = [ListSink() for _ in self.plan.outlets]
        self.rejects = ListRejects()
        self.engine = InlineEngine(self.plan, shards=shards)
        books = Books(
            Batcher(limits or Limits(5, 10**6, 0.0), first_id=100),
            Partitioner(Keying(by_topic_level(0)), shards=shards),
            Stats([stage.id for stage in self.plan.stages], shards=shards, now=clock.monotonic()),
            max_in_flight,
            budget=budget or Budget(),
        )
        self.ends = Ends(self.source, self.engine, self.sinks, self.rejects)
        self.pump = Pump(self.ends, books, clock=clock)

    async def run(self) -> None:
        """Until the pump ends."""
        async with self.engine:
            await self.pump.run()

    async def answered(self, messages: int) -> None:
        """Return when the engine has answered for all of so many messages."""
        while self.pump.in_engine or self.pump.ledger.dispatched < messages:  # noqa: ASYNC110 - only a test asks
            await asyncio.sleep(0)


def feed(count: int, *, devices: int = 4) -> list[Message]:
    return [Message(f"dev{number % devices}", str(number).encode(), 0.0) for number in range(count)]


def numbers(sink: ListSink) -> dict[str, list[int]]:
    """Per source, the numbers its counter gave."""
    seen: dict[str, list[int]] = {}
    for result in sink.results:
        values = json.loads(result.payload)["values"]
        if "n" in values:
            seen.setdefault(result.source, []).append(values["n"])
    return seen


class TestMoving:
    async def test_everything_comes_out_once_and_in_order(self) -> None:
        """Each device's messages are counted 1, 2, 3, ... without a gap, over shards and batches."""
        bench = Bench(feed(403))
        await bench.run()
        assert numbers(bench.sinks[0]) == {
            f"dev{device}": list(range(1, 102 if device < 3 else 101)) for device in range(4)
        }

    async def test_all_is_acknowledged_in_order(self) -> None:
        """What was received is what is acknowledged, in the order of arrival (the double refuses any other)."""
        bench = Bench(feed(100))
        await bench.run()
        assert [int(message.payload) for message in bench.source.acked] == list(range(100))
        ledger = bench.pump.ledger
        assert (ledger.received, ledger.settled, ledger.in_flight, ledger.in_flight_bytes) == (100, 100, 0, 0)

    async def test_ids_are_the_order_of_arrival(self) -> None:
        """Results carry the ids of their messages, counted from the batcher's first."""
        bench = Bench(feed(20), shards=1)
        await bench.run()
        assert [result.id for result in bench.sinks[0].results[:20]] == list(range(100, 120))

    async def test_every_sink_gets_its_share(self) -> None:
        """Two sinks each get all they asked for."""
        bench = Bench(feed(30), plan=plan_of(Stage("n", COUNTER), sinks=2))
        await bench.run()
        assert numbers(bench.sinks[0]) == numbers(bench.sinks[1])

    async def test_the_end_of_the_stream_flushes_the_tasks(self) -> None:
        """When the source ends by itself, what tasks hold back comes out last."""
        bench = Bench(feed(8), shards=1)
        await bench.run()
        assert [json.loads(result.payload)["values"] for result in bench.sinks[0].results[-4:]] == [{"last": 2}] * 4


class TestRefusals:
    async def test_a_dead_letter_has_topic_reason_and_bytes(self) -> None:
        """What a stage refuses goes to the rejects whole; its neighbours go on; both are acknowledged."""
        items = [Message("dev1", word, 0.0) for word in (b"ok", b"bad", b"ok")]
        bench = Bench(items, plan=plan_of(Stage("m", MOODY)))
        await bench.run()
        (letter,) = bench.rejects.letters
        assert (letter.stage, letter.reason, letter.topic, letter.payload) == ("m", "it is bad", "dev1", b"bad")
        assert len(bench.sinks[0].results) == 2
        assert len(bench.source.acked) == 3

    async def test_batches_with_refusals_keep_their_place(self) -> None:
        """A batch with a dead letter beside its results is not overtaken by the next one, which has only results."""
        words = [word for _ in range(50) for word in (b"ok", b"bad", b"ok", b"ok")]
        limits = Limits(2, 10**6, 0.0)
        bench = Bench([Message("d", word, 0.0) for word in words], plan=plan_of(Stage("m", MOODY)), limits=limits)
        await bench.run()
        ids = [result.id for result in bench.sinks[0].results]
        assert len(ids) == 150
        assert ids == sorted(ids)


class TestAcknowledging:
    async def test_not_before_the_result_is_with_the_sink(self) -> None:
        """While the sink is stalled nothing is acknowledged; afterwards everything is."""
        bench = Bench([*feed(10), PAUSE])
        bench.sinks[0].stall()
        running = asyncio.create_task(bench.run())
        await bench.source.paused()
        await bench.answered(10)
        assert bench.source.acked == []
        bench.sinks[0].resume()
        await bench.sinks[0].until(10)
        bench.source.resume()
        await running
        assert len(bench.source.acked) == 10

    async def test_not_before_the_dead_letter_is_kept(self) -> None:
        """A refused message is acknowledged only when its dead letter is."""
        bench = Bench([Message("d", b"bad", 0.0), PAUSE], plan=plan_of(Stage("m", MOODY)))
        bench.rejects.stall()
        running = asyncio.create_task(bench.run())
        await bench.source.paused()
        await bench.answered(1)
        assert bench.source.acked == []
        bench.rejects.resume()
        bench.source.resume()
        await running
        assert len(bench.source.acked) == 1


async def still(bench: Bench) -> int:
    """Messages taken in and not acknowledged, when nothing moves any more."""
    seen = -1
    while seen != bench.source.unacked:
        seen = bench.source.unacked
        for _ in range(50):
            await asyncio.sleep(0.001)
    return seen


class TestBounds:
    async def test_a_stalled_sink_stops_the_intake(self) -> None:
        """With the sink down the pump takes in max_in_flight bytes and a batch, and no more."""
        bench = Bench(feed(2000), max_in_flight=20_000, shards=1)
        bench.sinks[0].stall()
        running = asyncio.create_task(bench.run())
        assert 0 < await still(bench) < 150
        bench.sinks[0].resume()
        await running
        assert len(bench.source.acked) == 2000

    @pytest.mark.parametrize("budget", [Budget(10**9, results=10_000), Budget(1)])
    async def test_results_that_wait_stop_the_intake(self, budget: Budget) -> None:
        """When results fill their part, or all is spent, no batch is begun until sinks have taken what there is."""
        budget.add("more", 1, lambda: 1)
        bench = Bench(feed(2000), max_in_flight=10**9, shards=1, budget=budget)
        bench.sinks[0].stall()
        running = asyncio.create_task(bench.run())
        assert 0 < await still(bench) < 150
        bench.sinks[0].resume()
        await running
        assert (len(bench.source.acked), budget.results) == (2000, 0)

    async def test_a_second_portion_is_for_full_batches(self) -> None:
        """What comes while a shard works waits together, and only a full batch is sent after the first."""
        Gated.gate.clear()
        items: list[Message | bytes | Cue] = [*feed(1), PAUSE, *feed(3), PAUSE, *feed(4), PAUSE]
        bench = Bench(items, plan=plan_of(Stage("g", "tests.sample_tasks:Gated")), shards=1)
        running = asyncio.create_task(bench.run())
        seen = []
        for _ in range(3):
            await bench.source.paused()
            seen.append((bench.pump.in_engine, len(bench.pump.waiting)))
            bench.source.resume()
        Gated.gate.set()
        await running
        assert seen == [(1, 0), (1, 3), (2, 2)]
        assert len(bench.source.acked) == 8

    async def test_what_waits_for_a_batch_is_bounded(self) -> None:
        """However fast the source, no more waits for an engine's credit than a batch and what one receive gives."""
        bench = Bench(feed(5000), limits=Limits(10, 10**6, 0.0), at_once=50)
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, bench.pump.report()["queue"]["waiting"])
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        await bench.run()
        watching.cancel()
        assert 10 <= most <= 10 + 50

    async def test_at_most_two_portions_a_shard(self) -> None:
        """However fast the source, a shard has two portions at most."""
        bench = Bench(feed(3000), shards=2, limits=Limits(3, 10**6, 0.0), at_once=1000)
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, bench.pump.in_engine)
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        await bench.run()
        watching.cancel()
        assert 2 <= most <= 4


class TestLeaving:
    async def test_stop_finishes_what_was_taken_in(self) -> None:
        """After `stop` what was received is processed and acknowledged; tasks are not flushed: the stream goes on."""
        bench = Bench([*feed(10), PAUSE, *feed(10)])
        running = asyncio.create_task(bench.run())
        await bench.source.paused()
        await bench.pump.stop()
        await running
        assert len(bench.source.acked) == 10
        assert len(bench.sinks[0].results) == 10

    async def test_cancelled_leaves_the_rest_unacknowledged(self) -> None:
        """An abort acknowledges nothing whose result is not with the sink, and launches nothing more."""
        bench = Bench([*feed(10), PAUSE])
        bench.sinks[0].stall()
        running = asyncio.create_task(bench.run())
        await bench.source.paused()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert bench.source.acked == []
        assert bench.pump.ledger.in_flight == 10

    async def test_a_failing_source_is_an_error(self) -> None:
        """What the source raises ends the run; it is not swallowed."""
        bench = Bench([*feed(3), ABORT])
        with pytest.raises(ExceptionGroup) as caught:
            await bench.run()
        assert caught.group_contains(Abort)


class TestSwapping:
    async def test_a_new_plan_at_a_batch_boundary(self) -> None:
        """After a swap the new plan runs, with the state of what did not change; nothing is lost, order is kept."""
        bench = Bench([*feed(8), PAUSE, *feed(8)], shards=1)
        running = asyncio.create_task(bench.run())
        await bench.sinks[0].until(8)
        sink = ListSink()
        plan = plan_of(Stage("n", COUNTER), Stage("m", MOODY.replace("Moody", "Counter"), {"step": 10}, ("n",)))
        await bench.pump.swap(plan, Limits(5, 10**6, 0.0), [sink], bench.rejects)
        bench.source.resume()
        await running
        assert numbers(bench.sinks[0]) == {f"dev{device}": [1, 2] for device in range(4)}
        assert numbers(sink) == {**{f"dev{device}": [10, 20] for device in range(4)}, "flushed": [10, 20, 30, 40]}
        assert [stage["in"] for stage in bench.pump.report()["stages"]] == [16, 12]  # 8 and what was flushed

"""A shard: tasks per key, refusals, state."""

import json
import threading

import msgspec
import pytest

from riot_tasks import senml
from riotd.dataflow import Outlet, Plan, Stage
from riotd.errors import EngineError
from riotd.messages import Outcome, Portion
from riotd.shard import Shard
from tests.sample_tasks import Ferry, Hesitant, Patient

COUNTER, MOODY, PATIENT, FERRY = (f"tests.sample_tasks:{name}" for name in ("Counter", "Moody", "Patient", "Ferry"))


def plan(*stages: Stage, outlets: tuple[Outlet, ...] | None = None, **options: float) -> Plan:
    if outlets is None:
        outlets = (Outlet("out", (stages[-1].id,), "json"),)
    return Plan(stages, outlets, **options)  # type: ignore[arg-type]


def portion(*pairs: tuple[str, bytes], first: int = 0, now: float = 1.0) -> Portion:
    ids = list(range(first, first + len(pairs)))
    return Portion(0, now, ids, [key for key, _ in pairs], [payload for _, payload in pairs])


def values(outcome: Outcome) -> list[dict[str, object]]:
    return [json.loads(result.payload)["values"] for result in outcome.results]


class TestKeys:
    def test_each_source_has_its_own_task(self) -> None:
        """Records of two devices do not share state; results come in the order of the messages."""
        shard = Shard(plan(Stage("n", COUNTER)))
        outcome = shard.run(portion(("a", b""), ("b", b""), ("a", b"")))
        assert [(result.source, result.id) for result in outcome.results] == [("a", 0), ("b", 1), ("a", 2)]
        assert values(outcome) == [{"n": 1}, {"n": 1}, {"n": 2}]
        assert outcome.keys == 2

    def test_past_max_keys_the_longest_unused_go(self) -> None:
        """Task instances are bounded; what was used last stays, and the drops are counted."""
        shard = Shard(plan(Stage("n", COUNTER), max_keys=2))
        shard.run(portion(("old", b""), now=1.0))
        shard.run(portion(("a", b""), ("b", b""), now=2.0))
        outcome = shard.run(portion(("a", b""), ("old", b""), now=3.0))
        assert values(outcome) == [{"n": 2}, {"n": 1}]

    def test_idle_tasks_go(self) -> None:
        """An instance unused for longer than `idle` of feed time is dropped and counted."""
        shard = Shard(plan(Stage("n", COUNTER), idle=10.0))
        shard.run(portion(("a", b""), now=100.0))
        assert shard.run(portion(("b", b""), now=111.0)).evicted == 1
        assert values(shard.run(portion(("a", b""), now=112.0))) == [{"n": 1}]

    def test_idle_tasks_stay_while_what_was_long_ago_is_done_again(self) -> None:
        """After a downtime longer than `idle` neither the restoring nor a snapshot, both of the present, drops any."""
        of = plan(Stage("n", COUNTER), idle=10.0)
        before, after = Shard(of), Shard(of)
        before.run(portion(("a", b"x"), now=100.0))
        state = before.run(Portion(-1, 101.0, [], [], [], snapshot=True)).state
        after.run(Portion(-1, 9000.0, [], [], [], states=[state]))
        after.run(Portion(-1, 9001.0, [], [], [], snapshot=True))
        assert values(after.run(portion(("a", b"x"), now=102.0))) == [{"n": 2}]


class TestRefusals:
    def test_neighbours_go_on(self) -> None:
        """A refused record and a task's bug are rejects with their reasons; the others' results are there."""
        outcome = Shard(plan(Stage("m", MOODY))).run(portion(("a", b"ok"), ("a", b"bad"), ("a", b"bug"), ("a", b"ok")))
        assert [result.id for result in outcome.results] == [0, 3]
        assert [(reject.stage, reject.id, reject.reason) for reject in outcome.rejects] == [
            ("m", 1, "it is bad"),
            ("m", 2, "the task failed: ZeroDivisionError: oops"),
        ]

    def test_a_task_cannot_end_the_daemon(self) -> None:
        """A task that calls sys.exit has failed at a record, and no more."""
        outcome = Shard(plan(Stage("m", MOODY))).run(portion(("a", b"exit"), ("a", b"ok")))
        assert [reject.reason for reject in outcome.rejects] == ["the task failed: SystemExit: enough"]
        assert [result.id for result in outcome.results] == [1]

    def test_a_task_that_fails_half_way_gives_nothing(self) -> None:
        """Records given before a failure are taken back: a message has one fate."""
        outcome = Shard(plan(Stage("m", MOODY))).run(portion(("a", b"half")))
        assert outcome.results == []
        assert len(outcome.rejects) == 1

    def test_tallies_balance(self) -> None:
        """Per stage, in = out + filtered + rejected; what was refused does not reach the next stage."""
        words = (b"ok", b"two", b"none", b"bad", b"bug", b"half")
        shard = Shard(plan(Stage("m", MOODY), Stage("n", COUNTER, after=("m",))))
        first, second = shard.run(portion(*(("a", word) for word in words))).tallies
        assert (first.received, first.passed, first.filtered, first.rejected, first.emitted) == (6, 2, 1, 3, 3)
        assert (second.received, second.passed, second.emitted) == (3, 3, 3)

    def test_what_cannot_be_written_is_refused(self) -> None:
        """A record its sink's format can't say is a reject of that sink."""
        outlets = (Outlet("pack", ("m",), "senml"),)
        shard = Shard(plan(Stage("m", "tests.sample_tasks:Moody"), outlets=outlets))
        outcome = shard.run(Portion(0, 1.0, [5], ["µ not a name"], [b"ok"]))
        assert outcome.results == []
        assert [(reject.stage, reject.id) for reject in outcome.rejects] == [("pack", 5)]

    def test_each_sink_has_its_format(self) -> None:
        """The same record goes to one sink in JSON and to another in CBOR, and both say the same."""
        outlets = (Outlet("pack", ("parse",), "senml"), Outlet("octets", ("parse",), "senml+cbor"))
        payload = b'[{"bn":"dev7:","bt":1700000000.5,"n":"t","u":"Cel","v":12.6}]'
        shard = Shard(plan(Stage("parse", "senml_parse"), outlets=outlets))
        pack, octets = shard.run(Portion(0, 1.0, [5], ["dev7"], [payload])).results
        assert pack.payload == senml.from_cbor(octets.payload) == payload
        assert len(octets.payload) < len(payload)


class TestUnavailable:
    def test_is_asked_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A task that says Unavailable is asked again until it answers; the record is not refused."""
        monkeypatch.setattr("riotd.patience._PAUSES", (0.001, 0.002))
        monkeypatch.setattr(Patient, "asked", 0)
        outcome = Shard(plan(Stage("p", PATIENT, {"times": 3}), outlets=())).run(portion(("a", b"x")))
        assert outcome.rejects == []
        assert outcome.tallies[0].passed == 1

    def test_at_the_end_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A task that can't give up what it holds back is asked again, and nothing of it is lost."""
        monkeypatch.setattr("riotd.patience._PAUSES", (0.001, 0.002))
        monkeypatch.setattr(Hesitant, "asked", 0)
        shard = Shard(plan(Stage("h", "tests.sample_tasks:Hesitant", {"times": 3})))
        shard.run(portion(("a", b"x"), ("a", b"y")))
        assert values(shard.run(Portion(-1, 2.0, [], [], []))) == [{"last": 2}]

    def test_the_log_says_when_it_waits(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """One line when it begins to wait, with the task's reason, and one when it goes on, however often it asked."""
        monkeypatch.setattr("riotd.patience._PAUSES", (0.001, 0.002))
        monkeypatch.setattr(Patient, "asked", 0)
        caplog.set_level("INFO", "riotd.patience")
        Shard(plan(Stage("p", PATIENT, {"times": 5}), outlets=())).run(portion(("a", b"x"), ("a", b"y")))
        assert [record.getMessage() for record in caplog.records] == ["stage 'p' waits: not yet", "stage 'p' goes on"]

    def test_waiting_can_be_cancelled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`cancel` from another thread ends the wait with an error, so that the daemon can leave."""
        monkeypatch.setattr(Patient, "asked", 0)
        shard = Shard(plan(Stage("p", PATIENT, {"times": 10**9}), outlets=()))
        timer = threading.Timer(0.05, shard.cancel)
        timer.start()
        with pytest.raises(EngineError, match="stage 'p' was still waiting: not yet"):
            shard.run(portion(("a", b"x")))
        timer.join()


class TestBulk:
    @pytest.fixture(autouse=True)
    def _fresh(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("riotd.patience._PAUSES", (0.001, 0.002))
        monkeypatch.setattr(Ferry, "journeys", [])

    def test_a_portion_is_one_journey(self) -> None:
        """A task that takes many records gets all of a portion at once, of all keys, and an empty one not at all."""
        shard = Shard(plan(Stage("f", FERRY)))
        outcome = shard.run(portion(("a", b"one"), ("b", b""), ("a", b"two")))
        shard.run(Portion(-1, 2.0, [], [], []))
        assert Ferry.journeys == [3]
        assert [(result.source, result.id) for result in outcome.results] == [("a", 0), ("a", 2)]
        assert (outcome.tallies[0].passed, outcome.tallies[0].filtered) == (2, 1)

    def test_what_it_refuses_is_refused_alone(self) -> None:
        """A BadRecord among its answers is a reject of that record; the neighbours' results are there, in order."""
        outcome = Shard(plan(Stage("f", FERRY))).run(portion(("a", b"one"), ("a", b"bad"), ("a", b"two")))
        assert [result.id for result in outcome.results] == [0, 2]
        assert [(reject.stage, reject.id, reject.reason) for reject in outcome.rejects] == [("f", 1, "it is bad")]

    def test_unavailable_is_asked_again_with_all(self) -> None:
        """A task that says Unavailable is given the same records again until it takes them."""
        outcome = Shard(plan(Stage("f", FERRY, {"away": 2}))).run(portion(("a", b"one"), ("b", b"two")))
        assert Ferry.journeys == [2, 2, 2]
        assert [result.id for result in outcome.results] == [0, 1]

    def test_waiting_for_it_can_be_cancelled(self) -> None:
        """`cancel` ends the wait of a task that takes many records too."""
        shard = Shard(plan(Stage("f", FERRY, {"away": 10**9})))
        shard.cancel()
        with pytest.raises(EngineError, match="stage 'f' was still waiting: not yet back"):
            shard.run(portion(("a", b"x")))

    def test_a_bug_costs_one_record(self) -> None:
        """Where taking them all at once fails, they are taken one by one, and only the culprit is refused."""
        outcome = Shard(plan(Stage("f", FERRY))).run(portion(("a", b"one"), ("a", b"bug"), ("a", b"two")))
        assert Ferry.journeys == [3, 1, 1, 1]
        assert [reject.reason for reject in outcome.rejects] == ["the task failed: ZeroDivisionError: oops"]
        assert [result.id for result in outcome.results] == [0, 2]


class TestGraph:
    def test_branches(self) -> None:
        """Two stages after one see the same records; a stage after both sees them in message order."""
        stages = (
            Stage("m", MOODY),
            Stage("x", COUNTER, after=("m",)),
            Stage("y", COUNTER, {"step": 10}, after=("m",)),
            Stage("z", MOODY.replace("Moody", "Counter"), after=("x", "y")),
        )
        outcome = Shard(plan(*stages, outlets=(Outlet("o", ("x", "y"), "json"), Outlet("p", ("z",), "json")))).run(
            portion(("a", b"ok"), ("a", b"ok"))
        )
        by_outlet = [[result for result in outcome.results if result.outlet == number] for number in (0, 1)]
        assert [result.stage for result in by_outlet[0]] == ["x", "x", "y", "y"]
        assert [result.id for result in by_outlet[1]] == [0, 0, 1, 1]

    def test_results_carry_topic_and_name(self) -> None:
        """With topics in the portion a result has its message's; a single field names the result."""
        shard = Shard(plan(Stage("n", COUNTER)))
        outcome = shard.run(Portion(0, 1.0, [7, 9], ["a", "a"], [b"", b""], ["t/7", "t/9"]))
        assert [(result.topic, result.name) for result in outcome.results] == [("t/7", "n"), ("t/9", "n")]

    def test_the_end_of_the_stream_flushes(self) -> None:
        """An empty portion gives what tasks still hold."""
        shard = Shard(plan(Stage("n", COUNTER)))
        shard.run(portion(("a", b""), ("a", b"")))
        assert values(shard.run(Portion(-1, 2.0, [], [], []))) == [{"last": 2}]


class TestState:
    def test_continuing_from_a_snapshot_is_never_having_stopped(self) -> None:
        """Snapshot, restore into a new shard, go on: the same results."""
        first = Shard(plan(Stage("n", COUNTER)))
        first.run(portion(("a", b""), ("b", b""), ("a", b"")))
        second = Shard(plan(Stage("n", COUNTER)))
        second.restore(first.snapshot())
        following = portion(("a", b""), ("b", b""))
        assert second.run(following).results == first.run(following).results

    def test_a_later_snapshot_is_refused(self) -> None:
        """A snapshot of a version we don't know is an error, not a guess."""
        with pytest.raises(EngineError, match="version 99"):
            Shard(plan(Stage("n", COUNTER))).restore(msgspec.msgpack.encode({"version": 99, "stages": {}}))

    def test_reconfiguring_keeps_unchanged_stages(self) -> None:
        """A stage with the same id, task and parameters goes on; a changed one starts anew."""
        stages = (Stage("n", COUNTER), Stage("k", COUNTER, after=("n",)))
        outlets = (Outlet("o", ("n", "k"), "json"),)
        shard = Shard(plan(*stages, outlets=outlets))
        shard.run(portion(("a", b"")))
        shard.reconfigure(plan(stages[0], Stage("k", COUNTER, {"step": 5}, after=("n",)), outlets=outlets))
        assert values(shard.run(portion(("a", b"")))) == [{"n": 2}, {"n": 5}]

    def test_wrong_parameters_are_found_at_once(self) -> None:
        """A plan whose task does not take its parameters fails when the shard is made, not at a message."""
        with pytest.raises(TypeError, match="stride"):
            Shard(plan(Stage("n", COUNTER, {"stride": 2})))

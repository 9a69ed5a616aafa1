"""The log of a shard's calls: whatever dies when, every portion has one answer, and the right one."""

from collections import deque
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.dataflow import Plan, Stage
from riotd.engines.handover import Call, Handover, merge, split
from riotd.engines.worker import Worker
from riotd.errors import EngineError
from riotd.messages import Outcome, Portion, Reject, Result, Tally
from tests.contracts.feeds import FOLD, chain, direct, feed, plain, plan, portion

encode = msgspec.msgpack.encode


class Line:
    """A worker at the end of a queue, as an actor is; whoever tests says when it works and when it dies."""

    def __init__(self, of: Plan, *, max_calls: int = 1000, deed: str = "") -> None:
        self.handover = Handover(encode(of), max_calls=max_calls)
        self.answers: list[tuple[int, Outcome]] = []
        self.snapshots = self.deaths = 0
        self._deed = deed  # what poison makes a worker do that it has to be ended for
        self._seat()

    def submit(self, each: Portion) -> None:
        """A new call."""
        self.handover.add("run", encode(each), timed=each.size > 0)
        self._send()

    def step(self, poison: bytes = b"") -> None:
        """The worker does the call at the head of its queue; it dies of one with this payload."""
        call = self._queue.popleft()
        if isinstance(call, Call) and poison and poison in msgspec.msgpack.decode(call.data, type=Portion).payloads:
            self.die(self._deed)
            return
        if call == "take":
            assert self._worker.take(self.handover.plan, self.handover.state) == ""
            self.handover.taken()
        elif call == "snapshot":
            self.snapshots += self.handover.keep(self._mark, self._worker.snapshot())
        elif isinstance(call, Call):
            self._do(call)
        self._send()

    def interrupt(self) -> None:
        """The worker is lost with all others; another takes over."""
        self.handover.interrupted()
        self._seat()

    def die(self, deed: str = "") -> None:
        """The worker is lost, with its queue; another takes over."""
        self.deaths += 1
        answer = self.handover.died(deed)
        if answer is not None:
            self.answers.append((answer.number, plain(answer.outcome)))
        self._seat()

    def drain(self, poison: bytes = b"") -> list[Outcome]:
        """All answers, in the order of the calls, once there is nothing left to do."""
        while self._queue:
            self.step(poison)
        assert [number for number, _ in self.answers] == list(range(len(self.answers)))
        return [outcome for _, outcome in self.answers]

    def _do(self, call: Call) -> None:
        if call.answered:
            self._worker.replay(call.method, call.data)
            outcome = None
        else:
            outcome = msgspec.msgpack.decode(getattr(self._worker, call.method)(call.data), type=Outcome)
        if (answer := self.handover.answered(call, outcome)) is not None:
            self.answers.append((answer.number, plain(answer.outcome)))

    def _seat(self) -> None:
        self._worker = Worker()
        self._queue: deque[str | Call] = deque(["take"])
        self._send()

    def _send(self) -> None:
        while (call := self.handover.following()) is not None:
            self._queue.append(call)
        if (mark := self.handover.snapshot_due()) is not None:
            self._mark = mark
            self._queue.append("snapshot")


class TestDeaths:
    @given(
        st.lists(st.sampled_from(["submit", "submit", "step", "step", "step", "die"]), max_size=60), st.integers(1, 6)
    )
    def test_leave_no_trace(self, events: Sequence[str], max_calls: int) -> None:
        """Whenever the worker dies and however often it is snapshotted, answers equal those of a run without deaths."""
        portions = feed(len(events))
        line = Line(chain(), max_calls=max_calls)
        submitted = answered = 0
        for event in events:
            if event == "submit":
                line.submit(portions[submitted])
                submitted += 1
            elif event == "step" and line._queue:
                line.step()
            elif event == "die" and len(line.answers) > answered:  # a feed on which there is progress
                answered = len(line.answers)
                line.die()
        assert line.drain() == direct(chain(), portions[:submitted])

    def test_after_a_snapshot_need_only_what_follows_it(self) -> None:
        """What a snapshot covers is in the log no more, and is not sent again."""
        portions = feed(10, size=20)
        line = Line(chain(), max_calls=4)
        for each in portions:
            line.submit(each)
            line.drain()
        assert line.snapshots == 2
        line.die()
        assert len(line._queue) == 1 + 2, "take, and the two calls behind the snapshot of the eighth"
        assert line.drain() == direct(chain(), portions)

    def test_before_a_snapshot_came_have_it_asked_for_again(self) -> None:
        """A snapshot that was lost with its worker is due from the next."""
        portions = feed(4)
        line = Line(chain(), max_calls=4)
        for each in portions:
            line.submit(each)
        assert line._queue[-1] == "snapshot"
        line.die()
        assert line.drain() == direct(chain(), portions)
        assert (line.snapshots, line.handover.state != b"") == (1, True)

    def test_before_a_change_of_the_plan_is_answered_change_it_again(self) -> None:
        """The change is a call of the log; a snapshot behind it carries the new plan."""
        changed = plan(Stage("first", FOLD), Stage("second", FOLD, {"seed": 9}, ("first",)))
        line = Line(chain(), max_calls=3)
        line.submit(portion(0, [b"x"]))
        line.handover.add("reconfigure", encode(changed))
        line._send()
        line.step()
        line.step()
        line.die()
        line.submit(portion(2, [b"y"]))
        line.drain()
        assert (line.snapshots, line.handover.plan) == (1, encode(changed))

    def test_of_workers_that_never_get_ready_are_an_error(self) -> None:
        """Three in a row with nothing to blame: EngineError instead of trying for ever."""
        line = Line(chain())
        line.die()
        line.die()
        with pytest.raises(EngineError, match="before they were ready"):
            line.die()

    def test_long_apart_are_no_row(self) -> None:
        """An idle worker may be lost any number of times if each next one gets ready."""
        line = Line(chain())
        for _ in range(10):
            line.die()
            line.drain()
        line.submit(portion(0, [b"x"]))
        assert len(line.drain()) == 1

    def test_while_the_log_is_done_again_blame_no_message(self) -> None:
        """A worker that dies in the replay, not at the message, ends in EngineError; nothing is refused for it."""
        line = Line(chain())
        line.submit(portion(0, [b"x"]))
        line.drain()
        line.submit(portion(1, [b"y", b"z"]))
        for _ in range(5):
            line.die()
        with pytest.raises(EngineError, match="batch 1"):
            line.die()
        assert len(line.answers) == 1


class TestPoison:
    @given(st.lists(st.lists(st.booleans(), min_size=1, max_size=4), min_size=1, max_size=6), st.integers(1, 4))
    def test_is_refused_and_nothing_else(self, deadly: Sequence[Sequence[bool]], max_calls: int) -> None:
        """Exactly the messages that kill are refused; every other one gives what it gives in a feed without them."""
        ids = iter(range(10**6))
        portions, harmless, killers = [], [], []
        for batch, row in enumerate(deadly):
            numbers = [next(ids) for _ in row]
            payloads = [
                b"kill" if kills and batch % 2 else b"%d" % number for number, kills in zip(numbers, row, strict=True)
            ]
            keep = [index for index, payload in enumerate(payloads) if payload != b"kill"]
            killers += [number for index, number in enumerate(numbers) if index not in keep]
            whole = portion(batch, payloads, first=numbers[0])
            portions.append(whole)
            harmless.append(
                msgspec.structs.replace(
                    whole,
                    ids=[numbers[index] for index in keep],
                    keys=["a" for _ in keep],
                    payloads=[payloads[index] for index in keep],
                )
            )
        line = Line(plan(Stage("fold", FOLD)), max_calls=max_calls)
        for each in portions:
            line.submit(each)
        outcomes = line.drain(poison=b"kill")
        assert [reject.id for outcome in outcomes for reject in outcome.rejects] == killers
        expected = direct(plan(Stage("fold", FOLD)), [each for each in harmless if each.ids])
        assert [result for outcome in outcomes for result in outcome.results] == [
            result for outcome in expected for result in outcome.results
        ]

    def test_everywhere_is_an_error(self) -> None:
        """Ten messages in a row that each kill a worker are no messages' fault."""
        line = Line(plan(Stage("fold", FOLD)))
        line.submit(portion(3, [b"kill"] * 12))
        with pytest.raises(EngineError, match="batch 3: 10 messages in a row"):
            line.drain(poison=b"kill")

    def test_between_sound_messages_is_never_too_much(self) -> None:
        """However many messages kill, as long as others get through, each of them is refused and the feed goes on."""
        line = Line(plan(Stage("fold", FOLD)))
        line.submit(portion(0, [b"kill", b"x"] * 12))
        assert len(line.drain(poison=b"kill")[0].rejects) == 12

    def test_names_stage_and_count(self) -> None:
        """The refusal reads as what happened, and comes from the stage `engine`."""
        line = Line(plan(Stage("fold", FOLD)))
        line.submit(portion(0, [b"kill"]))
        assert line.drain(poison=b"kill") == [
            Outcome(0, [], [Reject("engine", 0, "killed its worker 4 times, at last alone")], [])
        ]


class TestDeeds:
    def test_once_in_company_and_once_alone_is_enough(self) -> None:
        """A worker does not hang by chance: two deaths find the message, and the reason says what it did."""
        line = Line(plan(Stage("fold", FOLD)), deed="took longer than 5s")
        line.submit(portion(0, [b"a", b"kill", b"b"]))
        outcomes = line.drain(poison=b"kill")
        assert [reject.reason for reject in outcomes[0].rejects] == ["took longer than 5s, alone and in company"]
        assert [each.payload for each in outcomes[0].results] == [
            each.payload
            for each in direct(plan(Stage("fold", FOLD)), [_without(portion(0, [b"a", b"", b"b"]), 1)])[0].results
        ]
        assert line.deaths == 2

    def test_of_a_state_that_is_too_large_are_no_messages_fault(self) -> None:
        """A worker that bloats each time the log is done again ends in EngineError; nothing is refused for it."""
        line = Line(chain())
        line.submit(portion(0, [b"x"]))
        line.drain()
        line.submit(portion(1, [b"y", b"z"]))
        for _ in range(3):  # apart after the first, then three that say nothing of a message
            line.die("took more than 1GB of memory")
        with pytest.raises(EngineError, match="batch 1"):
            line.die("took more than 1GB of memory")
        assert len(line.answers) == 1

    def test_without_a_message_are_counted_like_deaths(self) -> None:
        """A portion that only tells the time can't be taken apart: three times, then EngineError."""
        line = Line(chain())
        line.submit(Portion(0, 1.0, [], [], [], tick=True))
        line.die("took longer than 5s")
        line.die("took longer than 5s")
        with pytest.raises(EngineError, match="3 workers in a row"):
            line.die("took longer than 5s")


def _without(whole: Portion, index: int) -> Portion:
    """A portion that never had this message."""
    ids, keys, payloads = ([*each[:index], *each[index + 1 :]] for each in (whole.ids, whole.keys, whole.payloads))
    return msgspec.structs.replace(whole, ids=ids, keys=keys, payloads=payloads)


class TestLog:
    def test_asks_for_a_snapshot_by_bytes(self) -> None:
        """A snapshot is due when the calls weigh `max_bytes`, however few they are, and only one at a time."""
        handover = Handover(b"", max_bytes=100)
        handover.add("run", b"x" * 60)
        handover.following()
        assert handover.snapshot_due() is None
        handover.add("run", b"x" * 60)
        last = handover.following()
        assert handover.snapshot_due() is last
        assert handover.snapshot_due() is None

    def test_waits_for_as_many_bytes_as_the_last_snapshot_had(self) -> None:
        """A state of a kilobyte is not written again for a few small calls."""
        handover = Handover(b"", max_calls=2)
        asked = []
        for number in range(200):
            handover.add("run", b"x" * 10)
            call = handover.following()
            assert call is not None
            handover.answered(call, Outcome(number, [], [], []))
            if (mark := handover.snapshot_due()) is not None:
                asked.append(number)
                assert handover.keep(mark, b"s" * 1000)
        assert asked == [1, 101]

    def test_keeps_no_snapshot_that_covers_an_unanswered_call(self) -> None:
        """A snapshot that overtakes the answer of a call before it is thrown away; else that answer could be lost."""
        handover = Handover(b"plan", max_calls=1)
        handover.add("run", b"x")
        handover.following()
        mark = handover.snapshot_due()
        assert mark is not None
        assert handover.keep(mark, b"state") is False
        assert handover.state == b""
        assert handover.snapshot_due() is mark


class TestPieces:
    def test_of_a_portion_hold_one_message_each(self) -> None:
        """Ids, keys, payloads and topics stay together; batch and time are the portion's."""
        whole = Portion(4, 9.0, [7, 8], ["a", "b"], [b"x", b"y"], ["t/a", "t/b"])
        assert split(whole) == [
            Portion(4, 9.0, [7], ["a"], [b"x"], ["t/a"]),
            Portion(4, 9.0, [8], ["b"], [b"y"], ["t/b"]),
        ]

    def test_outcomes_add_up(self) -> None:
        """Results and rejects follow on, tallies are summed per stage, the last count of keys holds."""
        results = [Result(0, number, "s", "a", "", b"") for number in (1, 2)]
        parts = [
            Outcome(5, results[:1], [], [Tally(1, 1, 0, 0, 1, 0.25)], 3, 1),
            Outcome(5, [], [Reject("engine", 9, "why")], []),
            Outcome(5, results[1:], [], [Tally(1, 0, 1, 0, 0, 0.5)], 4, 1),
        ]
        assert merge(parts) == Outcome(5, results, [Reject("engine", 9, "why")], [Tally(2, 1, 1, 0, 1, 0.75)], 4, 2)


def test_interruptions_blame_nobody() -> None:
    """However often the whole engine is lost at one portion, none of its messages is refused, each answered once."""
    portions = feed(6)
    line = Line(chain())
    for each in portions:
        line.submit(each)
    for _ in range(8):
        line.step()
        line.interrupt()
    assert line.drain() == direct(chain(), portions)
    assert not any(call.piece for call in line.handover._log)

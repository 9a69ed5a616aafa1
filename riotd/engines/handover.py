"""What a new worker must be told when a shard's worker dies: a snapshot, and the log of calls since.

State is a fold over the calls, so a worker that takes the snapshot and does the log again is where the lost one
was. Calls that were answered are replayed for their effect only; the others are sent again, in order, and answered
once. Pure bookkeeping: knows no actors, no loop, no clock.

A portion that is the first unanswered one at three deaths in a row is taken apart: its messages go one at a time,
each sent only when everything before it is confirmed, so that the death that follows names the message. That one is
refused, the others keep their order and their results. If the worker had to be ended for what the portion made it do,
once is enough: a worker may be killed by chance, but does not hang by chance.
"""

from collections.abc import Sequence
from functools import reduce

import msgspec

from riotd import crossing
from riotd.engines.worker import Method
from riotd.errors import EngineError
from riotd.messages import ENGINE, Outcome, Portion, Reject, added

_SUSPICIOUS = 3
"""Deaths in a row at the same call, after which it is taken apart, or given up on."""
_HOPELESS = 10
"""Messages in a row that each killed a worker, after which it is not the messages."""

_decode = msgspec.msgpack.Decoder(Portion).decode
_encode = msgspec.msgpack.Encoder().encode


class Call(msgspec.Struct, eq=False):
    """One call that changes the shard's state.

    Attributes:
        number: 0, 1, 2, ... in the order of the calls; the pieces of a portion share its number.
        method: of `Worker`.
        data: its argument.
        answered: whether its outcome has come; if it is sent again, then for its effect only.
        piece: whether it is one message of a portion that was taken apart.
        timed: whether it has messages or records, and so a deadline.
    """

    number: int
    method: Method
    data: bytes
    answered: bool = False
    piece: bool = False
    timed: bool = False

    @property
    def alone(self) -> bool:
        """Whether nothing else may be on the way with it."""
        return self.piece and not self.answered


class Answer(msgspec.Struct, frozen=True):
    """The outcome of the call with this number; given once."""

    number: int
    outcome: Outcome


class Handover:
    """One shard's snapshot and log, and how much of the log its present worker has been sent.

    The log is bounded: at `max_calls` or `max_bytes` a snapshot is due, but not before the calls weigh as much
    as the last snapshot did. So a large state is not written over and over for a few messages, and the log is
    never larger than `max_bytes`, the state, and what is in flight.

    Attributes:
        plan: encoded `Plan` the snapshot was taken under.
        state: the snapshot; empty for a fresh start.
        resubmitted: calls that were sent again to be answered.
    """

    def __init__(self, plan: bytes, *, max_calls: int = 256, max_bytes: int = 8 * 2**20) -> None:
        self.plan, self.state, self.resubmitted = plan, b"", 0
        self._limits = max_calls, max_bytes
        self._log: list[Call] = []
        self._bytes = 0
        self._numbers = 0
        self._sent = 0
        self._unconfirmed = 1  # a worker's first call is to take plan and state
        self._snapshot_asked = False
        self._suspect: Call | None = None
        self._deaths = 0
        self._condemned = 0
        self._parts: dict[int, list[Outcome]] = {}

    @property
    def held(self) -> int:
        """Bytes of the snapshot and the calls since."""
        return len(self.state) + self._bytes

    def add(self, method: Method, data: bytes, *, timed: bool = False) -> int:
        """Put a call at the end of the log; its number."""
        self._numbers += 1
        self._log.append(Call(self._numbers - 1, method, data, timed=timed))
        self._bytes += len(data)
        return self._numbers - 1

    def following(self) -> Call | None:
        """The call to send next to the present worker, if it may go now; counts as sent."""
        if self._sent == len(self._log):
            return None
        call = self._log[self._sent]
        if self._unconfirmed and (call.alone or (self._sent and self._log[self._sent - 1].alone)):
            return None
        self._sent += 1
        self._unconfirmed += 1
        return call

    def taken(self) -> None:
        """The present worker has taken plan and state."""
        self._unconfirmed -= 1
        if self._suspect is None:
            self._deaths = 0

    def answered(self, call: Call, outcome: Outcome | None) -> Answer | None:
        """The present worker has done a call; `outcome` is None for a replay.

        None if nobody waits for it, or if other messages of its portion are still to come.
        """
        self._unconfirmed -= 1
        if outcome is None:
            return None
        call.answered = True
        self._condemned = 0
        return self._part(call.number, outcome)

    def snapshot_due(self) -> Call | None:
        """The call behind which to ask the worker for a snapshot now, if it is time; asked only once at a time."""
        max_calls, max_bytes = self._limits
        full = len(self._log) >= max_calls or self._bytes >= max_bytes
        if self._snapshot_asked or not full or self._bytes < len(self.state) or not self._sent:
            return None
        mark = self._log[self._sent - 1]
        self._snapshot_asked = not mark.alone
        return mark if self._snapshot_asked else None

    def keep(self, mark: Call, state: bytes) -> bool:
        """Replace the log up to `mark` by the state after it; False if an answer from before it is still to come."""
        self._snapshot_asked = False
        end = self._log.index(mark) + 1
        covered = self._log[:end]
        if not all(call.answered for call in covered):
            return False
        self.plan = next((call.data for call in reversed(covered) if call.method == "reconfigure"), self.plan)
        self.state = state
        del self._log[:end]
        self._sent -= end
        self._bytes -= sum(len(call.data) for call in covered)
        return True

    def interrupted(self) -> None:
        """The present worker is gone, for no fault of a message: all there is must be sent to the next."""
        self.resubmitted += sum(not call.answered for call in self._log[: self._sent])
        self._sent, self._unconfirmed, self._snapshot_asked = 0, 1, False

    def died(self, deed: str = "") -> Answer | None:
        """The present worker is gone; all there is must be sent to the next. An answer if that settles a portion.

        Args:
            deed: what it was ended for, see `ShardLost`.

        Raises:
            EngineError: workers die whatever is done; names the batch.
        """
        alone = self._log[self._sent - 1] if self._sent and self._log[self._sent - 1].alone else None
        self.interrupted()
        if alone is not None:
            return self._condemn(alone, deed)
        suspect = next((call for call in self._log if not call.answered), None)
        self._deaths = self._deaths + 1 if suspect is self._suspect else 1
        self._suspect = suspect
        guilty = deed != "" and suspect is not None and suspect.timed and not suspect.piece
        if guilty or self._deaths == _SUSPICIOUS:
            self._take_apart(suspect)
        return None

    def _take_apart(self, call: Call | None) -> None:
        """Replace a portion by its messages."""
        if call is None:
            raise EngineError(f"{_SUSPICIOUS} workers in a row died before they were ready")
        if call.method != "run":
            raise EngineError(f"{_SUSPICIOUS} workers in a row died at the change of the plan")
        portion = _decode(call.data)
        if call.piece or not portion.size:
            raise EngineError(f"{_SUSPICIOUS} workers in a row died before batch {portion.batch} was done")
        pieces = [Call(call.number, "run", _encode(piece), piece=True, timed=True) for piece in split(portion)]
        at = self._log.index(call)
        self._log[at : at + 1] = pieces
        self._bytes += sum(len(piece.data) for piece in pieces) - len(call.data)
        self._parts[call.number] = []
        self._deaths = 0

    def _condemn(self, call: Call, deed: str) -> Answer | None:
        """Refuse the message that was alone with a worker when it died."""
        portion = _decode(call.data)
        self._condemned += 1
        if self._condemned == _HOPELESS:
            raise EngineError(
                f"batch {portion.batch}: {_HOPELESS} messages in a row killed the worker, each on its own"
            )
        self._log.remove(call)
        self._bytes -= len(call.data)
        reason = deed and f"{deed}, alone and in company"
        reason = reason or f"killed its worker {_SUSPICIOUS + 1} times, at last alone"
        return self._part(call.number, Outcome(portion.batch, [], [Reject(ENGINE, portion.ids[0], reason)], []))

    def _part(self, number: int, outcome: Outcome) -> Answer | None:
        """The answer to the call as it was made, once all its pieces have one."""
        if number not in self._parts:
            return Answer(number, outcome)
        self._parts[number].append(outcome)
        if any(call.number == number and not call.answered for call in self._log):
            return None
        return Answer(number, merge(self._parts.pop(number)))


def split(portion: Portion) -> list[Portion]:
    """A portion for each message, its id in `ids` at every level."""
    if portion.level:
        parts = crossing.split(portion.arrivals).items()
        return [msgspec.structs.replace(portion, ids=[number], arrivals=arrivals) for number, arrivals in parts]
    return [
        msgspec.structs.replace(
            portion,
            ids=[number],
            keys=[portion.keys[index]],
            payloads=[portion.payloads[index]],
            topics=portion.topics[index : index + 1],
            origins=portion.origins[index : index + 1],
            mute=[number] if number in portion.mute else [],
        )
        for index, number in enumerate(portion.ids)
    ]


def merge(parts: Sequence[Outcome]) -> Outcome:
    """One outcome of those of a portion's messages, in their order; a refused message's has no tallies."""
    run = [part for part in parts if part.tallies]
    return Outcome(
        parts[0].batch,
        [result for part in parts for result in part.results],
        [reject for part in parts for reject in part.rejects],
        [reduce(added, tallies) for tallies in zip(*(part.tallies for part in run), strict=True)],
        run[-1].keys if run else 0,
        sum(part.evicted for part in parts),
        [onward for part in parts for onward in part.onward],
        run[-1].timed if run else 0,
    )

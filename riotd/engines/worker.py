"""What runs where the tasks run: a shard that is built with clear errors, and one that takes and gives bytes."""

import os
import sys
from typing import Literal

import msgspec

from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.messages import Outcome, Portion
from riotd.shard import Shard

Method = Literal["run", "reconfigure"]
"""The calls that change a shard's state."""

_encode = msgspec.msgpack.Encoder().encode
_portion = msgspec.msgpack.Decoder(Portion).decode
_plan = msgspec.msgpack.Decoder(Plan).decode


def build(plan: Plan) -> Shard:
    """A shard for this plan; `plan.path` goes in front of `sys.path` first.

    Raises:
        EngineError: a task can't be loaded or does not take its parameters; names stage, task and cause.
    """
    sys.path[:0] = [entry for entry in plan.path if entry not in sys.path]
    try:
        return Shard(plan)
    except Exception as error:
        raise EngineError(_blame(plan) or f"the plan can't be run: {error}") from error


def _blame(plan: Plan) -> str:
    """The first stage whose task can't be made even alone, and why; "" if each of them can."""
    for stage in plan.stages:
        try:
            Shard(Plan((msgspec.structs.replace(stage, after=()),)))
        except Exception as error:  # noqa: BLE001 - a task's module and constructor are anybody's code
            return f"stage {stage.id!r}: task {stage.task!r} can't be made: {type(error).__name__}: {error}"
    return ""


class Worker:
    """A shard behind calls of bytes; MessagePack both ways, so that no record is ever pickled.

    Starts without a plan, so that it can be made before it is known which shard will need it.
    """

    def __init__(self) -> None:
        self._shard: Shard | None = None

    def take(self, plan: bytes, state: bytes) -> str:
        """Become the shard of this `Plan`, in this state (empty: a fresh one). What hinders it, or ""."""
        try:
            shard = build(_plan(plan))
            if state:
                shard.restore(state)
        except EngineError as error:
            return str(error)
        self._shard = shard
        return ""

    def run(self, portion: bytes) -> bytes:
        """`Portion` in, `Outcome` out."""
        return _encode(self._taken.run(_portion(portion)))

    def reconfigure(self, plan: bytes) -> bytes:
        """`Plan` in; the outcome is empty, so that all calls that change state look alike."""
        self._taken.reconfigure(_plan(plan))
        return _encode(Outcome(-1, [], [], []))

    def replay(self, method: Method, data: bytes) -> None:
        """Do again what a lost worker had done and answered."""
        if method == "run":
            self._taken.run(_portion(data))
        else:
            self.reconfigure(data)

    def snapshot(self) -> bytes:
        """State after the calls so far."""
        return self._taken.snapshot()

    def pid(self) -> int:
        """The process's number."""
        return os.getpid()

    @property
    def _taken(self) -> Shard:
        if self._shard is None:
            raise EngineError("the worker was asked before it took a plan")
        return self._shard

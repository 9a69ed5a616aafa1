"""From one number of shards to another while everything runs: key-group by key-group, each with its state."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from riotd.errors import RiotdError
from riotd.placement import Transfer, moves
from riotd.ports import Engine
from riotd.pump import Pump, Regime

log = logging.getLogger(__name__)


class Rescale:
    """One change of the number of shards, and how far it is.

    Attributes:
        before: how many shards there were.
        shards: how many there are to be.
        phase: `preparing` the new workers, `moving` key-groups, `leaving` the old workers; at the end `done`, `failed`,
            or `stopped`, when the daemon ended first.
        moves: key-groups that have to move.
        gaps: of each that has moved, the seconds for which what is for it was held back.
        problem: why it failed.
    """

    def __init__(self, before: int, shards: int) -> None:
        self.before, self.shards = before, shards
        self.phase = "preparing"
        self.moves: Sequence[Transfer] = ()
        self.gaps: list[float] = []
        self.problem = ""
        self._begun = perf_counter()
        self._ended: float | None = None

    @property
    def over(self) -> bool:
        """Whether it has come to its end, whichever."""
        return self._ended is not None

    def end(self, phase: str, problem: str = "") -> None:
        """Say how it ended."""
        self.phase, self.problem, self._ended = phase, problem, perf_counter()

    def report(self) -> dict[str, Any]:
        """How far it is, as plain data."""
        report = {"from": self.before, "to": self.shards, "phase": self.phase}
        report |= {"moves": len(self.moves), "moved": len(self.gaps)}
        report["longest_gap_ms"] = round(1e3 * max(self.gaps, default=0.0), 3)
        report["seconds"] = round((self._ended or perf_counter()) - self._begun, 3)
        return report | ({"problem": self.problem} if self.problem else {})


class Rescaler:
    """Changes the number of shards of a running pump and its engine, one change at a time.

    What is new is made ready first, while the others work on; then each key-group moves between two batches; then what
    has none any more ends. An engine that can't have so many workers is left as it was, as is one that stops.

    Args:
        pump: which moves them.
        engine: which has them.
        regime: gives what follows from a number of shards; asked when it is needed, as the config may change meanwhile.

    Attributes:
        last: the change under way, or the last one.
        resizing: held while the engine gets or loses workers; whoever changes the plan holds it too.
    """

    def __init__(self, pump: Pump, engine: Engine, regime: Callable[[int], Regime]) -> None:
        self.last: Rescale | None = None
        self.resizing = asyncio.Lock()
        self._pump, self._engine, self._regime = pump, engine, regime

    @property
    def busy(self) -> bool:
        """Whether a change is under way."""
        return self.last is not None and not self.last.over

    @property
    def shards(self) -> int:
        """How many there are."""
        return self._pump.placement.shards

    @property
    def ending(self) -> bool:
        """Whether the pump comes to its end, so that nothing is to begin any more."""
        return self._pump.stopped or self._pump.finishing

    def plan(self, shards: int) -> Rescale:
        """Begin a change to so many shards; `carry_out` does it. None may be under way."""
        self.last = Rescale(self._pump.placement.shards, shards)
        self.last.moves = moves(self._pump.placement, shards)
        return self.last

    async def carry_out(self, rescale: Rescale) -> None:
        """Do what was planned; what can't be done is told by its `phase` and `problem`."""
        try:
            await self._carry_out(rescale)
        except RiotdError as error:  # the engine's; or the config has changed meanwhile, and can't bear it any more
            rescale.end("failed", str(error))
            log.error("it stays at %d shards: %s", rescale.before, error)  # noqa: TRY400 - known where it comes from
        except asyncio.CancelledError:
            rescale.end("stopped")
            raise
        else:
            rescale.end("stopped" if self._pump.finishing else "done")
            log.info("%s", _told(rescale))

    async def _carry_out(self, rescale: Rescale) -> None:
        await self._pump.caught_up.wait()
        if rescale.shards > rescale.before:
            async with self.resizing:
                await self._engine.resize(rescale.shards)
                await self._pump.resize(self._regime(rescale.shards))
        rescale.phase = "moving"
        for transfer in rescale.moves:
            gap = await self._pump.move(transfer)
            if self._pump.finishing:
                return
            rescale.gaps.append(gap)
        if rescale.shards < rescale.before:
            rescale.phase = "leaving"
            async with self.resizing:
                await self._pump.resize(self._regime(rescale.shards))
                await self._engine.resize(rescale.shards)


def _told(rescale: Rescale) -> str:
    said = rescale.report()
    if rescale.phase == "stopped":
        return f"stopped on the way from {rescale.before} shards to {rescale.shards}"
    return (
        f"{rescale.before} shards have become {rescale.shards}: {said['moved']} key-groups moved"
        f" in {said['seconds']:.1f} s, none held back for more than {said['longest_gap_ms']:.0f} ms"
    )

"""What a running daemon is told to do: another number of shards; checked, begun, told, remembered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from riotd.control import RefusedError
from riotd.errors import ConfigError
from riotd.rescaling import Rescale, Rescaler

log = logging.getLogger(__name__)


class Orders:
    """Takes orders, one at a time, and carries them out beside everything else.

    Args:
        rescaler: which does it.
        check: raises ConfigError for a number of shards that can't be run.
        remember: told the number once it is reached, so that a restart goes on with it.

    Attributes:
        told: called with what has become of an order, once that is decided.
    """

    def __init__(
        self, rescaler: Rescaler, *, check: Callable[[int], object], remember: Callable[[int], Awaitable[None]]
    ) -> None:
        self.told: list[Callable[[dict[str, Any]], None]] = []
        self._rescaler, self._check, self._remember = rescaler, check, remember
        self._orders: asyncio.Queue[Rescale] = asyncio.Queue()  # at most one: the next is refused until it is done

    async def scale(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Begin with so many shards; the answer is how far it is, as `scaling` gives it.

        Raises:
            RefusedError: there can't be so many, or it is on the way to another number.
        """
        shards = request.get("shards")
        if type(shards) is not int:
            raise RefusedError(f"shards: must be a whole number (is {shards!r}); as in {{'shards': 4}}")
        last = self._rescaler.last
        if last is not None and self._rescaler.busy:
            if last.shards != shards:
                raise RefusedError(
                    f"it is on the way from {last.before} shards to {last.shards},"
                    f" {len(last.gaps)} of {len(last.moves)} key-groups have moved: wait until it is there"
                )
            return last.report()
        if self._rescaler.ending:
            raise RefusedError("the daemon is about to end")
        try:
            self._check(shards)
        except ConfigError as error:
            raise RefusedError("; ".join(map(str, error.mistakes))) from None
        rescale = self._rescaler.plan(shards)
        self._orders.put_nowait(rescale)
        return rescale.report()

    async def scaling(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        """How far the last change of the number of shards is; only `to`, how many there are, if there was none."""
        last = self._rescaler.last
        return {"to": self._rescaler.shards} if last is None else last.report()

    async def run(self) -> None:
        """Carry out what is ordered, until cancelled."""
        while True:
            rescale = await self._orders.get()
            await self._rescaler.carry_out(rescale)
            if rescale.phase == "done":
                await self._remember(rescale.shards)
            for tell in self.told:
                tell(rescale.report())

"""Several connections as one outbox."""

import asyncio
from collections.abc import Sequence
from zlib import crc32

from riotd.replay.player import Outbox, Pair


class Lanes:
    """Messages of one topic always go over the same connection, so that they stay in order."""

    def __init__(self, outboxes: Sequence[Outbox]) -> None:
        self._outboxes = outboxes

    async def send_all(self, pairs: Sequence[Pair], *, qos: int = 0) -> int:
        """As `Outbox.send_all`."""
        if len(self._outboxes) == 1:
            return await self._outboxes[0].send_all(pairs, qos=qos)
        lanes: list[list[Pair]] = [[] for _ in self._outboxes]
        for pair in pairs:
            lanes[crc32(pair[0].encode()) % len(lanes)].append(pair)
        async with asyncio.TaskGroup() as group:
            sendings = [
                group.create_task(outbox.send_all(lane, qos=qos))
                for outbox, lane in zip(self._outboxes, lanes, strict=True)
                if lane
            ]
        return sum(sending.result() for sending in sendings)

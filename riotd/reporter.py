"""Statistics every few seconds, and online/offline, over MQTT."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from riotd.clock import Clock
from riotd.mqtt import Publisher


class Reporter:
    """Publishes reports; never in the way: what can't be sent at once is counted and left out.

    Args:
        publisher: the connection, whose last will says `offline`.
        topic: where reports go, QoS 0, not retained.
        every: seconds between two.
        report: gives the report; called on the event loop.
    """

    def __init__(
        self, publisher: Publisher, *, topic: str, every: float, report: Callable[[], dict[str, Any]], clock: Clock
    ) -> None:
        self._publisher = publisher
        self._topic = topic
        self._every = every
        self._report = report
        self._clock = clock
        self.skipped = 0

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            self.publish()

    def publish(self) -> None:
        """Report now."""
        payload = orjson.dumps({"time": self._clock.wall(), **self._report()})
        if not self._publisher.try_send_nowait(self._topic, payload, qos=0, retain=False):
            self.skipped += 1

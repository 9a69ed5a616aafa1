"""kill -9 of the daemon under load: nothing lost, state as if it had never ended, few results twice."""

import asyncio
import logging
import os
from collections.abc import Callable
from random import Random
from typing import Any

from tests.e2e.daemon import Daemon, Listener, feed, heard, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
Config = dict[str, Any]

KILLS = int(os.environ.get("RIOTD_KILLS", "4"))
"""For long runs by hand: RIOTD_KILLS=200."""


class TestKills:
    async def test_change_no_state_and_lose_nothing(self, broker: Broker, config: Config, make_daemon: Make) -> None:
        """Killed again and again, the daemon counts each device's messages without a gap and without one too many."""
        random, count = Random(1), 1500 * KILLS
        config["state"] = {"every": "300ms"}
        config["engine"] = {"type": "inline", "shards": 2}
        async with Listener(broker.port, "out/#") as listener:
            sending = None
            for _ in range(KILLS):
                already = len(listener.heard)
                async with make_daemon(config) as daemon:
                    sending = sending or asyncio.create_task(publish(broker.port, feed(count)))
                    await listener.count(min(already + random.randint(50, 1000), count))
                    await asyncio.sleep(random.random() / 10)  # to be killed at any instant
                    daemon.kill()
            async with make_daemon(config) as last:
                assert sending is not None
                await sending
                await listener.until(lambda all_heard: len({payload for _, payload in all_heard}) >= count, within=60)
                assert await last.stop() == 0
        results = heard(listener)
        for device, messages in results.messages.items():
            pairs = sorted(set(zip(messages, results.numbers[device], strict=True)))
            assert pairs == [(int(device[3:]) + 5 * index, index + 1) for index in range(count // 5)]
        twice = len(listener.heard) - count
        logging.getLogger(__name__).info("%d kills, %d messages, %d results twice", KILLS, count, twice)

"""Dead letters of a running daemon, sent again."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.e2e.daemon import Daemon, Listener, feed, publish
from tests.riotd.brokers import Broker


def dlq(daemon: Daemon, verb: str, *words: str) -> list[dict[str, Any]]:
    """What `riotd dlq` says as JSON."""
    words = (sys.executable, "-m", "riotd", "dlq", verb, str(daemon.file), *words, "--json")
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_a_letter_that_is_refused_again_says_how_often(
    broker: Broker, config: dict[str, Any], make_daemon: Callable[..., Daemon]
) -> None:
    """Sent to its topic it comes back as a new letter, until the daemon is one that takes it."""
    async with Listener(broker.port, "out/#") as listener, make_daemon(config) as daemon:
        await publish(broker.port, [("in/dev1", b"{"), *feed(1, devices=1)])
        await listener.count(1)
        for times in (1, 2):
            (letter,) = [each for each in dlq(daemon, "ls") if each["replayed"] is None]
            assert (letter["letter"], letter["payload"], letter.get("times", 1)) == (times, "{", times)
            assert dlq(daemon, "replay", "--all") == [{"sent": 1, "not_sent": []}]
            async with asyncio.timeout(20):
                while len(await asyncio.to_thread(dlq, daemon, "ls")) == times:  # a store is no event
                    pass
        assert await daemon.stop() == 0
    config["stages"] = [{"id": "pass", "task": "noop"}]
    async with Listener(broker.port, "out/#") as listener, make_daemon(config) as daemon:
        assert dlq(daemon, "replay", "3") == [{"sent": 1, "not_sent": []}]
        await listener.count(1)
        assert [each["letter"] for each in dlq(daemon, "ls")] == [1, 2, 3]

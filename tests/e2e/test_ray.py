"""The daemon on its own local Ray: workers die under load, and nobody notices."""

import asyncio
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from tests.e2e.daemon import Daemon, Listener, feed, heard, publish
from tests.riotd.brokers import Broker

pytest.importorskip("ray")

MESSAGES, DEVICES = 6000, 8


def actors(daemon: Daemon) -> list[psutil.Process]:
    """The processes of the daemon's shards."""
    assert daemon.process is not None
    family = psutil.Process(daemon.process.pid).children(recursive=True)
    return [process for process in family if process.cmdline()[0].startswith("ray::Worker")]


@pytest.mark.ray
async def test_killed_actors_cost_nothing(
    broker: Broker, config: dict[str, Any], make_daemon: Callable[..., Daemon]
) -> None:
    """Every actor killed once under load at QoS 1: all results once, each device's in order, counted without a gap."""
    config["engine"] = {"type": "ray", "shards": 2}
    async with make_daemon(config) as daemon, Listener(broker.port, "out/#") as listener:
        sending = asyncio.create_task(publish(broker.port, feed(MESSAGES, devices=DEVICES)))
        for round_, actor in enumerate(victims := actors(daemon)):
            await listener.count(1000 * (round_ + 1))
            actor.kill()
        assert victims
        await sending
        await listener.count(MESSAGES)
        assert await daemon.stop() == 0
    each = MESSAGES // DEVICES
    assert heard(listener).numbers == {f"dev{device}": list(range(1, each + 1)) for device in range(DEVICES)}
    assert heard(listener).messages == {
        f"dev{device}": list(range(device, MESSAGES, DEVICES)) for device in range(DEVICES)
    }
    assert f"received {MESSAGES} = settled {MESSAGES} + in flight 0" in daemon.log

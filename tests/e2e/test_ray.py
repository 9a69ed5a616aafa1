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


def pool(daemon: Daemon, name: str) -> psutil.Process:
    """A process of the daemon's Ray."""
    assert daemon.process is not None
    family = psutil.Process(daemon.process.pid).children(recursive=True)
    return next(process for process in family if process.name() == name)


@pytest.mark.ray
async def test_a_lost_ray_is_rebuilt_and_costs_nothing(
    broker: Broker, config: dict[str, Any], make_daemon: Callable[..., Daemon]
) -> None:
    """Raylet, then head killed under load at QoS 1: the daemon lives on, all results once, each device's in order."""
    config["engine"] = {"type": "ray", "shards": 2}
    async with make_daemon(config) as daemon, Listener(broker.port, "out/#") as listener:
        sending = asyncio.create_task(publish(broker.port, feed(MESSAGES, devices=DEVICES)))
        await listener.count(1000)
        pool(daemon, "raylet").kill()
        await listener.count(MESSAGES, within=60)
        pool(daemon, "gcs_server").kill()
        await sending
        await publish(broker.port, feed(2 * MESSAGES, devices=DEVICES)[MESSAGES:])
        await listener.count(2 * MESSAGES, within=60)
        assert await daemon.stop() == 0
    assert heard(listener).messages == {
        f"dev{device}": list(range(device, 2 * MESSAGES, DEVICES)) for device in range(DEVICES)
    }
    assert daemon.log.count("Ray is there again") == 2
    assert f"received {2 * MESSAGES} = settled {2 * MESSAGES} + in flight 0" in daemon.log


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

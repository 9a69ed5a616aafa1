"""Several sources of one daemon, and overlays, against a real broker."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.daemon import Daemon, Listener, feed, heard, pack, pipeline, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]


def _several(port: int, folder: Path) -> dict[str, Any]:
    """The small pipeline, from two subscriptions and a file; notices are counted by every shard."""
    config = pipeline(port, folder)
    mqtt = config.pop("source")
    (folder / "in.jsonl").write_bytes(b"".join(pack(number) + b"\n" for number in range(40)))
    return config | {
        "sources": {
            "feed": mqtt,
            "notices": {**mqtt, "topics": ["notices"], "key": "every"},
            "file": {"type": "file", "path": str(folder / "in.jsonl"), "key": {"topic_regex": "in"}},
        },
        "stages": [
            {"id": "parse", "task": "senml_parse", "after": ["feed", "file"]},
            {"id": "count", "task": "tests.sample_tasks:Counter"},
            {"id": "notice", "task": "noop", "after": ["notices"]},
        ],
        "sinks": {
            "results": {"type": "mqtt", "topic": "out/{source}", "format": "json", "from": ["count"]},
            "notices": {"type": "mqtt", "topic": "noticed", "format": "raw", "from": ["notice"]},
        },
        "engine": {"shards": 3},
    }


def _noticed(listener: Listener) -> list[bytes]:
    """What became of the notices."""
    return [payload for topic, payload in listener.heard if topic == "noticed"]


async def test_all_sources_flow_side_by_side(broker: Broker, make_daemon: Make, tmp_path: Path) -> None:
    """Each message of each source is settled; devices keep their order; what every shard hears is said once.

    The end of a file is not the end of the daemon.
    """
    async with (
        Listener(broker.port, "out/#", "noticed") as listener,
        make_daemon(_several(broker.port, tmp_path)) as daemon,
    ):
        await asyncio.gather(
            publish(broker.port, feed(600)), publish(broker.port, [("notices", b"x"), ("notices", b"y")])
        )
        await listener.count(642)
        assert await daemon.stop() == 0
    got = heard(listener)
    file = got.numbers.pop("in")
    assert got.numbers == {f"dev{device}": list(range(1, 121)) for device in range(5)}
    assert file == list(range(1, 41))
    assert _noticed(listener) == [b"x", b"y"]
    assert "received 642 = settled 642 + in flight 0" in daemon.log


def _numbers(listener: Listener) -> set[int]:
    """Which messages of the feed have had results."""
    return {number for numbers in heard(listener).messages.values() for number in numbers}


async def test_kill_9_loses_nothing_of_any_source(broker: Broker, make_daemon: Make, tmp_path: Path) -> None:
    """Each subscription has a session of its own, whose unacknowledged messages come again."""
    config = _several(broker.port, tmp_path)
    del config["sources"]["file"]
    config["stages"][0]["after"] = ["feed"]
    async with Listener(broker.port, "out/#", "noticed") as listener:
        messages = [message for number, each in enumerate(feed(900)) for message in (each, ("notices", b"%d" % number))]
        async with make_daemon(config) as daemon:
            sending = asyncio.create_task(publish(broker.port, messages))
            await listener.count(200)
            daemon.kill()
        await sending
        async with make_daemon(config) as daemon:
            await listener.until(lambda _: len(set(_noticed(listener))) == 900 and len(_numbers(listener)) == 900)
            assert await daemon.stop() == 0
    assert _numbers(listener) == set(range(900))
    assert set(_noticed(listener)) == {b"%d" % number for number in range(900)}


async def test_a_reload_reads_the_overlays_again(broker: Broker, make_daemon: Make, config: dict[str, Any]) -> None:
    """What an overlay says is in force from the start, and what it says later after SIGHUP."""
    daemon = make_daemon(config)
    daemon.options = ["--with", "half"]
    over = daemon.folder / "half" / daemon.file.name
    over.parent.mkdir()

    def say(step: int) -> None:
        over.write_text(yaml.safe_dump({"stages": {"count": {"params": {"step": step}}}}))

    say(10)
    async with daemon, Listener(broker.port, "out/#") as listener:
        await publish(broker.port, feed(5))
        await listener.count(5)
        say(100)
        daemon.signal(signal.SIGHUP)
        await daemon.logged("reloaded: stages.count.params.step")
        await publish(broker.port, feed(5))
        await listener.count(10)
        assert await daemon.stop() == 0
    assert heard(listener).numbers == {f"dev{device}": [10, 100] for device in range(5)}

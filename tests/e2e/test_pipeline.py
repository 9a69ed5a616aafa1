"""The pipeline end to end: a real process, a real broker, somebody else's client on both sides."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.daemon import Daemon, Listener, feed, heard, pack, pipeline, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
Config = dict[str, Any]

BAD = {
    "not JSON": b"temperature is 5",
    "not SenML": b'{"temperature": 5}',
    "10 MB": b"x" * 10_000_000,
    "empty": b"",
    "an empty pack": b"[]",
    "deeply nested": b"[" * 100_000 + b"]" * 100_000,
    "1e400": b'[{"n":"t","v":1e400}]',
    "a duplicate key": b'[{"n":"t","v":1,"v":2}]',
    "a missing name": b'[{"v":1}]',
    "invalid UTF-8": b'[{"n":"\xff","v":1}]',
}


async def test_messages_become_results_in_order(broker: Broker, config: Config, make_daemon: Make) -> None:
    """Two thousand messages of ten devices give two thousand results, each device's in order."""
    async with make_daemon(config) as daemon, Listener(broker.port, "out/#") as listener:
        await publish(broker.port, feed(2000, devices=10))
        await listener.count(2000)
        assert await daemon.stop() == 0
    assert heard(listener).numbers == {f"dev{device}": list(range(1, 201)) for device in range(10)}
    assert heard(listener).messages == {f"dev{device}": list(range(device, 2000, 10)) for device in range(10)}
    assert "received 2000 = settled 2000 + in flight 0" in daemon.log


async def test_bad_packs_are_dead_letters_while_neighbours_flow(
    broker: Broker, config: Config, make_daemon: Make, tmp_path: Path
) -> None:
    """Each kind of bad pack is a dead letter with stage, reason, topic and raw bytes; good ones between go through."""
    messages = []
    for number, (name, payload) in enumerate(BAD.items()):
        messages += [(f"in/{name}", payload), ("in/good", pack(number))]
    async with make_daemon(config) as daemon, Listener(broker.port, "out/#") as listener:
        await publish(broker.port, messages)
        await listener.count(len(BAD))
        assert await daemon.stop() == 0
    assert heard(listener).numbers == {"good": list(range(1, len(BAD) + 1))}
    letters = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [letter["topic"] for letter in letters] == [f"in/{name}" for name in BAD]
    for letter, payload in zip(letters, BAD.values(), strict=True):
        assert letter["stage"] == "parse"
        assert letter["reason"]
        text = letter.get("payload")
        assert (base64.b64decode(letter["payload_b64"]) if text is None else text.encode()) == payload


async def test_no_broker_at_the_start(make_broker: Callable[..., Broker], make_daemon: Make, tmp_path: Path) -> None:
    """Without a broker the daemon starts, says so once for each connection, and works as soon as there is one."""
    broker = make_broker()
    async with make_daemon(pipeline(broker.port, tmp_path)) as daemon:
        await daemon.logged("refused")
        broker.start()
        await daemon.logged("riotd-test-in: connected")
        async with Listener(broker.port, "out/#", "riotd/test/status") as listener:
            await listener.until(lambda all_heard: ("riotd/test/status", b"online") in all_heard)
            await publish(broker.port, feed(1))
            await listener.until(lambda _: bool(heard(listener).numbers))
        assert daemon.log.count("refused") <= 2
        assert await daemon.stop() == 0


async def test_a_file_read_to_its_end_ends_the_daemon(make_daemon: Make, tmp_path: Path) -> None:
    """From file to file: all lines processed, tasks flushed, exit 0, without a broker."""
    (tmp_path / "in.jsonl").write_bytes(b"".join(pack(number) + b"\n" for number in range(25)))
    config = {
        "name": "files",
        "source": {"type": "file", "path": str(tmp_path / "in.jsonl")},
        "stages": [
            {"task": "senml_parse"},
            {"id": "mean", "task": "average", "params": {"fields": ["temperature"], "window": 10}},
        ],
        "sinks": {"out": {"type": "file", "path": str(tmp_path / "out.jsonl")}},
    }
    daemon = make_daemon(config).start()
    assert await daemon.exit() == 0
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["values"]["temperature"] for line in lines] == [4.5, 14.5, 22.0]


async def test_statistics_and_status(broker: Broker, config: Config, make_daemon: Make) -> None:
    """Statistics come every second and add up; the status is online, retained, and offline after a kill -9."""
    async with make_daemon(config) as daemon, Listener(broker.port, "riotd/test/#") as listener:
        await publish(broker.port, [*feed(20), ("in/dev0", b"bad")])
        await listener.until(lambda all_heard: any(b'"settled":21' in payload for _, payload in all_heard))
        stats = json.loads(next(payload for _, payload in reversed(listener.heard) if payload.startswith(b"{")))
        assert stats["schema"] == 1
        assert stats["messages"]["received"] == stats["messages"]["settled"] + stats["messages"]["in_flight"]
        assert stats["messages"]["rejected"] == 1
        for stage in stats["stages"]:
            assert stage["in"] == stage["out"] + stage["filtered"] + stage["rejected"]
        assert ("riotd/test/status", b"online") in listener.heard
        daemon.kill()
        await listener.until(lambda all_heard: ("riotd/test/status", b"offline") in all_heard)

"""kill -9 of a daemon that reads files and writes a file: its output is that of one that was left alone."""

import asyncio
import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.e2e.daemon import Daemon, feed, pipeline, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
Config = dict[str, Any]

KILLS = int(os.environ.get("RIOTD_KILLS", "3"))
"""For long runs by hand: RIOTD_KILLS=200."""


def lines(begin: int, end: int) -> bytes:
    """Packs of five devices, in turn, and now and then a line that is none."""
    return b"".join(
        b'[{"bn":"urn:dev:%d:","bt":%d,"n":"t","v":%d}]\n' % (number % 5, 1_700_000_000 + number, number)
        if number % 997
        else b"no pack %d\n" % number
        for number in range(begin, end)
    )


def good(count: int) -> list[int]:
    """Numbers of the packs among so many lines."""
    return [number for number in range(count) if number % 997]


def config_of(folder: Path, source: Path, **more: object) -> Config:
    """Parse, number the records of each device, write."""
    return {
        "name": "files",
        "source": {"type": "file", "path": str(source), **more},
        "key": {"field": "bn"},
        "stages": [{"id": "parse", "task": "senml_parse"}, {"id": "count", "task": "tests.sample_tasks:Counter"}],
        "sinks": {"out": {"type": "file", "path": str(folder / "out.jsonl"), "format": "json"}},
        "rejects": {"type": "file", "path": str(folder / "rejects.jsonl")},
        "state": {"path": str(folder / "state"), "every": "100ms"},
    }


async def left_alone(make_daemon: Make, folder: Path, source: Path) -> tuple[list[bytes], list[str]]:
    """The results and the refused lines of a daemon that nobody ends."""
    folder.mkdir()  # noqa: ASYNC240 - as elsewhere in tests
    async with make_daemon(config_of(folder, source)) as daemon:
        assert await daemon.exit() == 0
    return told(folder)


def told(folder: Path) -> tuple[list[bytes], list[str]]:
    """The results line by line, but for the ids; and what was refused before the stream's end."""
    results = [re.sub(rb'"id":[0-9]+', b'"id":0', line) for line in (folder / "out.jsonl").read_bytes().splitlines()]
    letters = [json.loads(line) for line in (folder / "rejects.jsonl").read_bytes().splitlines()]
    return results, [letter["payload"] for letter in letters if letter["payload"]]


async def results(folder: Path, count: int) -> None:
    """Return when there are so many results."""
    async with asyncio.timeout(30):
        while (folder / "out.jsonl").read_bytes().count(b"\n") < count:  # noqa: ASYNC110 - a file is no event
            await asyncio.sleep(0.02)


def snapshots(folder: Path) -> list[str]:
    """Their names."""
    return sorted(path.name for path in (folder / "state").glob("*.snapshot"))


async def test_read_once(make_daemon: Make, tmp_path: Path) -> None:
    """Killed and stopped at random instants amid a glob's files, compressed ones too, it ends with the same bytes."""
    random, count = Random(KILLS), 8_000 * (KILLS + 2)
    source = tmp_path / "in"
    source.mkdir()
    for number in range(5):
        data = lines(number * count // 5, (number + 1) * count // 5)
        path = source / f"{number}.jsonl{'.gz' * (number % 2)}"
        path.write_bytes(gzip.compress(data, 1) if number % 2 else data)
    expected = await left_alone(make_daemon, tmp_path / "alone", source / "*.jsonl*")
    config = config_of(tmp_path, source / "*.jsonl*")
    for _ in range(KILLS):
        async with make_daemon(config) as daemon:
            await asyncio.sleep(random.random() / 4)  # to be ended at any instant
            if random.random() < 0.2:
                assert await daemon.stop() == 0
    async with make_daemon(config) as daemon:
        assert await daemon.exit() == 0
    assert told(tmp_path) == expected
    assert not list((tmp_path / "state").glob("*.snapshot"))


async def test_followed_through_rotation(make_daemon: Make, tmp_path: Path) -> None:
    """Killed while its file is written, and rotated or truncated behind a copy while it is down, it misses nothing."""
    random, written = Random(KILLS), 0
    path, config = tmp_path / "app.log", config_of(tmp_path, tmp_path / "app.log", follow=True)

    def write(count: int) -> None:
        nonlocal written
        with path.open("ab") as file:
            file.write(lines(written, written + count))
        written += count

    write(10)
    for kill in range(KILLS):
        async with make_daemon(config):
            await results(tmp_path, len(good(written)))  # what was unread at a truncation would be lost, as always
            before = snapshots(tmp_path)
            while snapshots(tmp_path) == before or random.random() < 0.7:
                write(random.randint(1, 500))
                await asyncio.sleep(random.random() / 30)  # to be killed at any instant
        write(random.randint(0, 50))
        if kill % 3 == 0:
            path.rename(tmp_path / f"app.log.{kill}")
        elif kill % 3 == 1:
            (tmp_path / f"app.log.{kill}").write_bytes(path.read_bytes())
            path.write_bytes(b"")
        write(random.randint(1, 50))
    async with make_daemon(config) as daemon:
        await results(tmp_path, len(good(written)))
        assert await daemon.stop() == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert [row["time"] - 1_700_000_000 for row in rows] == good(written)
    for device in range(5):
        numbers = [row["values"]["n"] for row in rows if row["source"] == f"urn:dev:{device}:"]
        assert numbers == list(range(1, len(numbers) + 1))
    assert told(tmp_path)[1] == [f"no pack {number}" for number in range(0, written, 997)]


async def test_stopped_it_goes_on_where_it_was(make_daemon: Make, tmp_path: Path) -> None:
    """After SIGTERM nothing is done again, and the ids of messages go on; `ack: processed` begins anew."""
    source = tmp_path / "app.log"
    config = config_of(tmp_path, source, follow=True)
    for number in range(2):
        with source.open("ab") as file:
            file.write(lines(number * 100 + 1, number * 100 + 101))
        async with make_daemon(config) as daemon:
            await results(tmp_path, 100 * (number + 1))
            assert await daemon.stop() == 0
            assert "received 100 = settled 100 + in flight 0" in daemon.log
    rows = [json.loads(row) for row in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert [row["id"] - rows[0]["id"] for row in rows] == list(range(200))
    assert [row["values"]["n"] for row in rows] == [number // 5 + 1 for number in range(200)]
    async with make_daemon(config | {"ack": "processed"}) as daemon:
        await results(tmp_path, 400)
        assert await daemon.stop() == 0


async def test_what_is_appended_while_it_is_stopped_stays(make_daemon: Make, tmp_path: Path) -> None:
    """Behind a stop's snapshot there is nothing of the daemon's to cut off; behind a later kill there is."""
    source, out = tmp_path / "app.log", tmp_path / "out.jsonl"
    source.write_bytes(lines(1, 101))
    config = config_of(tmp_path, source, follow=True) | {"state": {"path": str(tmp_path / "state"), "every": "1h"}}
    async with make_daemon(config) as daemon:
        await results(tmp_path, 100)
        assert await daemon.stop() == 0
    with out.open("ab") as file:
        file.write(b"a note\n")
    for _ in range(2):
        async with make_daemon(config) as daemon:
            with source.open("ab") as file:
                file.write(lines(101, 102))
            await results(tmp_path, 102)
            daemon.kill()
    async with make_daemon(config) as daemon:
        await results(tmp_path, 103)
        assert await daemon.stop() == 0
    rows = out.read_bytes().splitlines()
    assert rows[100] == b"a note"
    assert [json.loads(row)["values"]["n"] for row in rows[:100] + rows[101:]] == [
        *(number // 5 + 1 for number in range(100)),
        *(21, 22),
    ]


async def test_beside_a_subscription(broker: Broker, make_daemon: Make, tmp_path: Path) -> None:
    """Killed again and again, a daemon with a file beside MQTT has each line, and each message, in its state once."""
    random, count, path = Random(KILLS), 400 * KILLS, tmp_path / "app.log"
    config = config_of(tmp_path, path)
    del config["source"]
    mqtt = pipeline(broker.port, tmp_path)["source"]
    config["sources"] = {"feed": mqtt, "file": {"type": "file", "path": str(path), "follow": True}}
    path.touch()
    written, sending = 0, None
    for _ in range(KILLS):
        async with make_daemon(config):
            sending = sending or asyncio.create_task(publish(broker.port, feed(count)))
            for _ in range(random.randint(2, 15)):
                with path.open("ab") as file:
                    file.write(lines(written, written + 100))
                written += 100
                await asyncio.sleep(random.random() / 20)  # to be killed at any instant
    async with make_daemon(config) as daemon:
        assert sending is not None
        await sending
        await results(tmp_path, len(good(written)) + count)
        assert await daemon.stop() == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    numbers: dict[str, list[int]] = {}
    for row in rows:
        numbers.setdefault(row["source"], []).append(row["values"]["n"])
    assert all(each == list(range(1, len(each) + 1)) for each in numbers.values())
    times = [row["time"] - 1_700_000_000 for row in rows]
    assert sorted(times) == sorted([*good(written), *range(count)])

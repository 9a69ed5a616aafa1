"""A table as a stage of the daemon: what is acknowledged is written."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.e2e.daemon import Daemon, Listener, feed, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
COUNT = 3000


def _keys(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as found:
        return [key for (key,) in found.execute("SELECT key FROM sysdata")]


async def test_kill_9_loses_no_row(broker: Broker, config: dict[str, Any], make_daemon: Make, tmp_path: Path) -> None:
    """Killed twice under load, each result that left had its row already; in the end each message has one row."""
    path = tmp_path / "rows.db"
    insert = {"store": f"sqlite://{path}", "table": "sysdata", "key": "{source}-{time}"}
    config["stages"] = [
        {"id": "parse", "task": "senml_parse"},
        {"id": "keep", "task": "table_insert", "params": insert},
    ]
    async with Listener(broker.port, "out/#") as listener:
        said, sending = _Said(listener), None
        for until in (300, 1200):
            async with make_daemon(config) as daemon:
                sending = sending or asyncio.create_task(publish(broker.port, feed(COUNT)))
                await listener.count(until)
                daemon.kill()
            assert said() <= set(_keys(path))
        async with make_daemon(config) as daemon:
            await sending
            await listener.until(lambda _: len(said()) == COUNT)
            assert await daemon.stop() == 0
    assert sorted(_keys(path)) == sorted(said())


async def test_leaving_while_the_store_is_away(
    broker: Broker, config: dict[str, Any], make_daemon: Make, tmp_path: Path
) -> None:
    """With the table held by somebody else the daemon still hears SIGTERM, and the next run writes what is left."""
    path = tmp_path / "rows.db"
    insert = {"store": f"sqlite://{path}", "table": "sysdata", "key": "{source}-{time}"}
    config["stages"] = [
        {"id": "parse", "task": "senml_parse"},
        {"id": "keep", "task": "table_insert", "params": insert},
    ]
    config["grace"] = "2s"
    async with Listener(broker.port, "out/#") as listener:
        said = _Said(listener)
        async with make_daemon(config) as daemon:
            await publish(broker.port, feed(100))
            await listener.until(lambda _: len(said()) == 100)
            with closing(sqlite3.connect(path, isolation_level=None)) as holder:
                holder.execute("BEGIN IMMEDIATE")
                await publish(broker.port, feed(200)[100:])
                assert await daemon.stop() == 1
        assert len(_keys(path)) == 100
        async with make_daemon(config) as daemon:
            await listener.until(lambda _: len(said()) == 200)
            assert await daemon.stop() == 0
    assert len(_keys(path)) == 200


def _key(topic: str, payload: bytes) -> str | None:
    """The key of the row that a result speaks of."""
    record = json.loads(payload) if topic.startswith("out/") else None
    return record and f"{record['source']}-{int(record['time'] * 1000)}"


class _Said:
    """The keys that results speak of, read once each as they come."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self._read = listener, 0
        self._keys: set[str] = set()

    def __call__(self) -> set[str]:
        new = self._listener.heard[self._read :]
        self._read += len(new)
        self._keys |= {key for message in new if (key := _key(*message))}
        return self._keys

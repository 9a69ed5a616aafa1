"""The state of many keys: how long its snapshots hold others up, and how long a daemon takes after kill -9 to go on.

Every key has a Kalman filter. When all are in a snapshot on disk, some more messages come, the daemon is killed,
and started again; a message waits for it at the broker. What counts is the time from the start of the process to that
message's result, and that the result is the one of a daemon that never ended.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench import load
from bench.broker import Broker
from bench.collect import Collector, Latencies
from bench.e2e import RESULTS
from bench.load import Load
from bench.measure import first_result, tail
from bench.peers import run_riotd
from bench.usage import Family
from riot_tasks.algorithms.kalman import Kalman

_START = 120.0  # seconds until the first result: Ray on a busy machine
_SNAPSHOT = 120.0  # seconds until the next snapshot
_QUIET = 20.0  # seconds without a result: nothing more will come
_RATE = 500.0
"""Messages a second while a snapshot is made: few, so that what holds them up is the snapshot."""
_PROBES = 1000
"""Devices whose messages wait for the daemon: their results show whether it goes on with the state it had."""
_NOISE = (0.125, 0.32, 30.0)
"""The filter's parameters: `kalman_filter`'s defaults."""
_LINE = re.compile(r"^(\d\d):(\d\d):(\d\d\.\d{3}) \w+ +([\w.]+): (.*)$", re.MULTILINE)


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; times in seconds, sizes in 10^6 bytes.

    Attributes:
        keys: with a filter each.
        again: messages behind the last snapshot, done again at the start.
        snapshot_mb: the snapshot on disk.
        pause: the longest that a result took at 500 messages/s while snapshots were made.
        memory_mb: of all the daemon's processes, with the state built, and after the start.
        restarted_mb: the same after the start.
        first: from the start of the process to the first result.
        parts: the same, at the lines of the log.
        right: whether that result continues the state.
    """

    engine: str
    keys: int
    again: int
    snapshot_mb: float
    pause: float
    memory_mb: float
    restarted_mb: float
    first: float
    parts: dict[str, float]
    right: bool


class Heard:
    """The values of results on some topics, when the first came, monotonic seconds, and when all of them had.

    Others come too: results of messages behind the snapshot that are not known to have arrived.
    """

    def __init__(self, topics: Collection[str]) -> None:
        self.values: dict[str, float] = {}
        self.first = 0.0
        self.complete = threading.Event()
        self._topics = frozenset(topics)

    def __call__(self, body: bytes, _now: float) -> None:
        """Take note of a result."""
        start = 2 + int.from_bytes(body[:2], "big")
        topic = body[2:start].decode()
        if topic in self._topics:
            self.first = self.first or time.monotonic()
            self.values[topic] = msgspec.json.decode(body[start:])[0]["v"]
            if len(self.values) == len(self._topics):
                self.complete.set()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 1 if the state was not right, or the first result came later than asked."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="riotd-recovery-") as name, Broker(Path(name)) as broker:
        found = recover(Path(name), broker.port, options)
    file = RESULTS / f"recovery-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if options.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    else:
        _show(found, file)
    return 0 if found.right and found.first <= options.within else 1


def recover(folder: Path, port: int, options: argparse.Namespace) -> Recovered:
    """Build the state, kill, start.

    Raises:
        RuntimeError: the daemon does not work; with the end of its log.
    """
    command, state = _command(folder, port, options), folder / "state"
    log = folder / "daemon.log"
    collector = Collector(port, "out/#")
    with Family([command], log=str(log), patience=0.0) as family:
        if not first_result(port, collector, family):
            raise RuntimeError(f"riotd gave no result within {_START:.0f} s; its log ends:\n{tail(log)}")
        begun = _snapshots(state)[0]
        print(f"building the state of {options.keys:,} keys …", file=sys.stderr, flush=True)
        _fed(collector, port, options.keys, options.keys)
        pause = _paused(collector, port, state, begun + options.keys)
        size, memory = _size(state), family.usage().unique
        if options.again:
            _fed(collector, port, options.again, options.keys, first=options.keys)
        os.kill(family.started[0].pid, signal.SIGKILL)
        family.started[0].wait()
    expected = _expected(options.keys)
    heard = Heard(expected)
    collector.expect(options.keys, heard)
    waiting = Load(port, _PROBES, devices=options.keys, qos=1, first=2 * options.keys - _PROBES)
    load.finish(load.start(waiting), _START)  # at the broker
    log, at, unix = folder / "again.log", time.monotonic(), time.time()
    with Family([command], log=str(log), patience=0.0) as family:
        if not heard.complete.wait(_START):
            raise RuntimeError(f"{len(heard.values)} results within {_START:.0f} s; the log ends:\n{tail(log)}")
        restarted = family.usage().unique
    first = heard.first - at
    return Recovered(
        engine=options.engine, keys=options.keys, again=options.again, snapshot_mb=size / 1e6, pause=pause,
        memory_mb=memory / 1e6, restarted_mb=restarted / 1e6, first=first, parts=_parts(log, unix, first),
        right=heard.values == expected,
    )  # fmt: skip


def _command(folder: Path, port: int, options: argparse.Namespace) -> list[str]:
    source = {
        "type": "mqtt", "url": f"mqtt://127.0.0.1:{port}", "topics": ["sensors/+/senml"],
        "qos": 1, "session": "persistent",
    }  # fmt: skip
    return run_riotd(
        folder,
        {
            "name": "recovery",
            "source": source,
            "key": {"topic_level": 1},
            "stages": [
                {"id": "parse", "task": "senml_parse"},
                {"id": "kalman", "task": "kalman_filter", "params": {"fields": ["temperature"]}},
            ],
            "engine": {"type": options.engine, "shards": options.shards, "max_keys": 2 * options.keys},
            "state": {"path": str(folder / "state"), "every": "5s"},
            "sinks": {"results": {"type": "mqtt", "topic": "out/{source}", "qos": 0}},
        },
    )


def _fed(collector: Collector, port: int, messages: int, devices: int, *, first: int = 0) -> None:
    """Send so many, and wait for their results."""
    collector.expect(messages)
    load.finish(load.start(Load(port, messages, devices=devices, qos=1, first=first)), 600 + messages / 1000)
    if not collector.wait_while_it_comes(_QUIET):
        raise RuntimeError(f"{messages - collector.count} of {messages} results did not come")


def _paused(collector: Collector, port: int, state: Path, wanted: int) -> float:
    """Seconds, the longest that a result took, until there is a snapshot of all; a slow feed goes on meanwhile."""
    latencies, deadline = Latencies(), time.monotonic() + _SNAPSHOT
    while _snapshots(state)[-1] < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no snapshot within {_SNAPSHOT:.0f} s")
        count = int(5 * _RATE)
        collector.expect(count, latencies)
        load.finish(load.start(Load(port, count, devices=1000, rate=_RATE, qos=1, first=10**9)), 60.0)
        collector.wait_while_it_comes(_QUIET)
    return max(latencies.values, default=0.0) / 1e3


def _snapshots(state: Path) -> list[int]:
    return sorted(int(file.stem) for file in state.glob("*.snapshot")) or [0]


def _size(state: Path) -> int:
    return max(file.stat().st_size for file in state.glob("*.snapshot"))


def _expected(keys: int) -> dict[str, float]:
    """The results of the probes, each the second message of its device, by one filter each that never ended."""
    found = {}
    for number in range(keys - _PROBES, keys):
        kalman = Kalman(*_NOISE)
        for each in (number, number + keys):
            (entry, *_) = msgspec.json.decode(load.pack(Load(0, 0, devices=keys), each, 1e9))
            estimate = kalman.update(entry["v"])
        found[f"out/dev{number}"] = estimate
    return found


def _parts(log: Path, begun: float, until: float) -> dict[str, float]:
    """Seconds from the start of the process, in Unix time, to each line of its log until then."""
    midnight = datetime.fromtimestamp(begun).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    lines = _LINE.findall(log.read_text(encoding="utf-8", errors="replace"))
    found = {
        f"{logger}: {text}": round(
            int(hours) * 3600 + int(minutes) * 60 + float(seconds) - begun + midnight.timestamp(), 3
        )
        for hours, minutes, seconds, logger, text in lines
    }
    return {text: at for text, at in found.items() if at <= until}


def _show(found: Recovered, file: Path) -> None:
    table = Table(title=f"{found.keys:,} keys, {found.engine}; {found.again:,} messages behind the snapshot", box=None)
    for row in (
        ("snapshot on disk", f"{found.snapshot_mb:.1f} MB"),
        ("longest wait of a result while one was made", f"{found.pause:.2f} s"),
        ("memory before, and after the start", f"{found.memory_mb:.0f} MB, {found.restarted_mb:.0f} MB"),
        *((f"  {text[:90]}", f"{at:.2f} s") for text, at in found.parts.items()),
        ("start to first result", f"{found.first:.2f} s"),
        ("state continued", "yes, to the bit" if found.right else "NO"),
    ):
        table.add_row(*row)
    console = Console()
    console.print(table, highlight=False)
    console.print(f"in full: {file}", highlight=False)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench recovery", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--keys", type=int, default=100_000, help="with state each, at least 2,000 (100,000)")
    parser.add_argument("--again", type=int, default=10_000, help="messages behind the last snapshot (10,000)")
    parser.add_argument("--engine", choices=("inline", "ray"), default="inline")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--within", type=float, default=10.0, help="seconds to the first result, else exit 1 (10)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    options = parser.parse_args(arguments)
    if options.keys < 2 * _PROBES or options.again > options.keys - _PROBES:
        parser.error(f"--keys is at least {2 * _PROBES}, --again at most {_PROBES} less than --keys")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, ConnectionError) as error:
        sys.exit(f"bench recovery: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

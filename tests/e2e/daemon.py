"""The daemon as its users have it: a process, a config file, signals, a broker; and somebody else who listens."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiomqtt
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
_STARTS_WITHIN = 40.0


class Daemon:
    """One `riotd run`; READY=1 is heard on a real datagram socket.

    Args:
        folder: for its config, log and notify socket.
        config: the file's content.
        environment: more variables.
    """

    def __init__(self, folder: Path, config: dict[str, Any], **environment: str) -> None:
        self.folder = folder
        self.file = folder / "config.yaml"
        self.write(config)
        self.options: list[str] = []
        self._environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, config: dict[str, Any]) -> None:
        """Write the config file."""
        self.file.write_text(yaml.safe_dump(config))

    @property
    def log(self) -> str:
        """All it has logged."""
        return (self.folder / "log").read_text()

    def start(self) -> Self:
        """Start it, without waiting."""
        environment = {**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify"), **self._environment}
        environment.setdefault("XDG_STATE_HOME", str(self.folder.parent / "state"))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "riotd", "run", str(self.file), "--app-dir", str(REPOSITORY), *self.options],
                stderr=log,
                stdout=log,
                cwd=self.folder,
                env=environment,
            )
        return self

    async def heard(self, word: str, within: float = _STARTS_WITHIN) -> str:
        """The next notification that holds this word."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(within):
            while True:
                text = (await loop.sock_recv(self._ear, 4096)).decode()
                if word in text:
                    return text

    async def __aenter__(self) -> Self:
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.bind(str(self.folder / "notify"))
        self._ear.setblocking(False)  # noqa: FBT003 - the socket module's signature
        self.start()
        try:
            await self.heard("READY=1")
        except TimeoutError:
            self.kill()
            raise AssertionError(f"it did not start:\n{self.log}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self._ear.close()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    async def exit(self, within: float = 30.0) -> int:
        """Wait for its end; the exit code."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, within)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return await self.exit()

    def kill(self) -> None:
        """End it by SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    async def logged(self, text: str, within: float = 20.0) -> None:
        """Return when the log has this text."""
        async with asyncio.timeout(within):
            while text not in self.log:  # noqa: ASYNC110 - a log file is no event
                await asyncio.sleep(0.02)


class Listener:
    """A second client (aiomqtt) that keeps what it hears, as (topic, payload)."""

    def __init__(self, port: int, *topics: str) -> None:
        self._client = aiomqtt.Client("127.0.0.1", port, max_queued_incoming_messages=0)
        self._topics = topics
        self.heard: list[tuple[str, bytes]] = []
        self._more = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        for topic in self._topics:
            await self._client.subscribe(topic, qos=1)
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        await self._client.__aexit__(kind, error, trace)

    async def _listen(self) -> None:
        async for message in self._client.messages:
            self.heard.append((message.topic.value, bytes(message.payload)))  # type: ignore[arg-type]  # bytes, always
            async with self._more:
                self._more.notify_all()

    async def until(self, fulfilled: Callable[[list[tuple[str, bytes]]], bool], within: float = 30.0) -> None:
        """Return when what was heard fulfils the condition; fail with what was heard."""
        try:
            async with asyncio.timeout(within), self._more:
                await self._more.wait_for(lambda: fulfilled(self.heard))
        except TimeoutError:
            raise AssertionError(f"heard {len(self.heard)}, the last {self.heard[-3:]}") from None

    async def count(self, number: int, within: float = 30.0) -> None:
        """Return when so many messages were heard."""
        await self.until(lambda heard: len(heard) >= number, within)


def pack(number: int) -> bytes:
    """A pack that can be told from all others: its time and its value are the number."""
    return b'[{"bn":"urn:dev:x:","bt":%d,"n":"temperature","u":"Cel","v":%d}]' % (1_700_000_000 + number, number)


def feed(count: int, *, devices: int = 5) -> list[tuple[str, bytes]]:
    """So many messages of so many devices, in turn."""
    return [(f"in/dev{number % devices}", pack(number)) for number in range(count)]


def pipeline(port: int, folder: Path) -> dict[str, Any]:
    """A small pipeline: parse, number the records of each device, publish."""
    return {
        "name": "test",
        "source": {
            "type": "mqtt",
            "url": f"mqtt://127.0.0.1:{port}",
            "topics": ["in/+"],
            "qos": 1,
            "session": "persistent",
            "protocol": "3.1.1",
        },
        "key": {"topic_level": 1},
        "stages": [{"id": "parse", "task": "senml_parse"}, {"id": "count", "task": "tests.sample_tasks:Counter"}],
        "sinks": {"results": {"type": "mqtt", "topic": "out/{source}", "format": "json"}},
        "rejects": {"type": "file", "path": str(folder / "rejects.jsonl")},
        "stats": {"every": "1s"},
    }


class Heard(NamedTuple):
    """Results as a listener heard them, per device."""

    numbers: dict[str, list[int]]
    """What each device's counter said."""
    messages: dict[str, list[int]]
    """Which message, by its number, each result follows from."""


def heard(listener: Listener) -> Heard:
    """The results among what was heard."""
    result = Heard({}, {})
    for topic, payload in listener.heard:
        if topic.startswith("out/"):
            record = json.loads(payload)
            result.numbers.setdefault(topic[4:], []).append(record["values"]["n"])
            result.messages.setdefault(topic[4:], []).append(int(record["time"]) - 1_700_000_000)
    return result


async def publish(port: int, messages: list[tuple[str, bytes]]) -> None:
    """Publish at QoS 1, in order, all acknowledged when it returns."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        client.pending_calls_threshold = 10**6
        for topic, payload in messages:
            await client.publish(topic, payload, qos=1)

"""The two tasks that are the daemon's own sink and source, measured at a broker."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from riotd import config as cfg
from riotd.benchmarks.measuring import Progress, Setting, Throughput, pump_of, throughput, workers
from riotd.benchmarks.memory import Refusals, Void
from riotd.benchmarks.workload import chained, packs
from riotd.clock import Clock
from riotd.messages import Message
from riotd.mqtt import Publisher
from riotd.pump import Ends
from riotd.sinks.mqtt import MqttSink
from riotd.sources.mqtt import MqttSource

TASKS = ("mqtt_publish", "mqtt_subscribe")
_TOPIC = "riotd/bench/{source}"


async def measure(task: str, setting: Setting, clock: Clock, *, url: str, folder: Path) -> Throughput:
    """Throughput of one of `TASKS` at the broker at `url`, with QoS 0 as in the original."""
    if task == "mqtt_publish":
        return await _published(setting, clock, url)
    return await _subscribed(setting, clock, url, folder)


async def _published(setting: Setting, clock: Clock, url: str) -> Throughput:
    block = cfg.MqttSink(type="mqtt", topic=_TOPIC, qos=0, format="json")
    load = chained(("senml_parse", {}), ("mqtt_publish", {"topic": _TOPIC, "qos": 0}))
    async with Publisher(cfg.Connection(url=url), client_id=_name()) as publisher:
        return await throughput(load, setting, clock, sink=MqttSink(block, publisher))


async def _subscribed(setting: Setting, clock: Clock, url: str, folder: Path) -> Throughput:
    topic = f"riotd/bench/{_name()}"
    block = cfg.MqttSource(type="mqtt", url=url, topics=[topic], qos=0)
    load = chained(("mqtt_subscribe", {"url": url, "topics": [topic]}))
    async with setting.make(load.plan, setting.shards) as engine:
        progress = Progress(clock, warm_up=setting.warm_up, workers=await workers(engine))
        source = _Watched(MqttSource(block, name=_name(), clock=clock, linger=setting.wait), progress, clock)
        async with source, _flood(url, topic, folder):
            pump = pump_of(Ends(source, engine, [Void()], Refusals()), load, setting, clock)
            running = asyncio.create_task(pump.run())
            await source.begun.wait()
            await asyncio.sleep(setting.warm_up + setting.seconds)
            await pump.stop()
            await running
        rate, cpu = progress.figures()
    stage = pump.report()["stages"][-1]
    return Throughput(rate, cpu, 1e6 * stage["busy_s"] / max(stage["in"], 1), 0, "")


@asynccontextmanager
async def _flood(url: str, topic: str, folder: Path) -> AsyncIterator[None]:
    """A process that publishes as fast as the broker takes it."""
    feed = folder / "flood.senml"
    await asyncio.to_thread(feed.write_bytes, b"\n".join(packs()))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "riotd", "replay", str(feed), "--speed", "max", "--loop", "0", "--url", url,
        "--topic", topic, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    os.sched_setaffinity(process.pid, range(os.cpu_count() or 1))  # its parent may be kept on one core
    try:
        yield
    finally:
        process.kill()
        await process.wait()


def _name() -> str:
    return f"riotd-bench-{secrets.token_hex(4)}"


class _Watched:
    """A source whose settled messages somebody else is told of, too."""

    def __init__(self, source: MqttSource, progress: Progress, clock: Clock) -> None:
        self._source, self._progress, self._clock = source, progress, clock
        self.begun = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._source.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._source.__aexit__(kind, error, trace)

    async def receive(self) -> Sequence[Message]:
        messages = await self._source.receive()
        self.begun.set()
        return messages

    async def ack(self, messages: Sequence[Message]) -> None:
        self._progress.settled(messages, self._clock.monotonic())
        await self._source.ack(messages)

    async def stop(self) -> None:
        await self._source.stop()

    def counters(self) -> Mapping[str, int]:
        return self._source.counters()

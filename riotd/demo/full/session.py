"""One run of the full demo: broker, feed, four daemons and a view; ends after a while, or by Ctrl-C, by draining."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from riotd import shipped
from riotd.benchmarks.broker import mosquitto
from riotd.clock import SystemClock
from riotd.config import Connection, MqttSource
from riotd.demo.broker import embedded_broker, mosquitto_broker
from riotd.demo.full import feed
from riotd.demo.full.daemon import Daemon
from riotd.demo.full.files import Broker, Flow
from riotd.demo.full.picture import Picture
from riotd.demo.full.screen import Screen
from riotd.feeds import Dataset
from riotd.mqtt import Subscriber

_FRAMES_PER_SECOND = 4
_TOLD_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


class Options(NamedTuple):
    """What a person may choose.

    Attributes:
        dataset: whose sensors.
        seconds: how long after all four run.
        rate: packs a second.
        url: a broker of one's own; else mosquitto if it is installed, else the embedded one.
        train_every: how often TRAIN trains, as a config says it.
        folder: for the table, models, charts and logs.
    """

    dataset: Dataset
    seconds: float
    rate: float
    url: str | None
    train_every: str
    folder: Path


class FullDemo:
    """Brings the parts together for a while.

    Raises:
        ConfigError: there are no configs, or none for this data set.
    """

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._clock = SystemClock()
        self._folder = options.folder.resolve()
        place = shipped.folder()
        self._flows = {flow: Flow(place / f"{flow}.yaml", [options.dataset]) for flow in shipped.FLOWS}
        self._names = {flow: config.name for flow, config in self._flows.items()}
        self._daemons = {flow: Daemon(flow, self._folder) for flow in self._flows}
        self._picture = Picture()
        self._over = asyncio.Event()
        self._fed: float | None = None
        self._broken = ""

    async def run(self) -> int:
        """The exit code: 0 if all four lived until they were told to drain, and did.

        Raises:
            ConfigError: there is no broker to be had.
            TransportError: the broker did not start.
        """
        await asyncio.to_thread(self._prepare)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._signalled)
        async with self._broker() as broker, AsyncExitStack() as stack:
            self._screen = self._view(broker)
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(self._listen(broker)), group.create_task(self._show())]
                for flow, daemon in self._daemons.items():
                    arguments = self._flows[flow].arguments(broker, train_every=self._options.train_every)
                    await stack.enter_async_context(daemon.started(arguments))
                await self._live(broker)
                await self._drain()
                for task in beside:
                    task.cancel()
        return await asyncio.to_thread(self._say_goodbye)

    def _signalled(self) -> None:
        """The first ends the demo; another one has the four leave at once, as they do without a demo."""
        if self._over.is_set():
            for daemon in self._daemons.values():
                daemon.hurry()
        self._over.set()

    def _prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        feed.describe(self._options.dataset, self._folder / f"{self._options.dataset}-annotations.txt")

    @asynccontextmanager
    async def _broker(self) -> AsyncIterator[Broker]:
        program = mosquitto()
        if self._options.url is not None:
            yield Broker(self._options.url, "3.1.1", "yours")  # which all brokers speak
        elif program is not None:
            async with mosquitto_broker(program, self._folder) as url:
                yield Broker(url, "5", "mosquitto")
        else:
            async with embedded_broker() as url:
                yield Broker(url, "3.1.1", "amqtt; mosquitto is faster")

    def _view(self, broker: Broker) -> Screen:
        title = f"{self._options.dataset} at {broker.url} ({broker.name})"
        insert, charts = self._flows["etl"].stage("table_insert"), self._flows["stats"].stage("remote_zip")
        store = str(charts.get("params", {}).get("store", "")).removeprefix("file:")
        return Screen(
            self._picture,
            self._names,
            title=title,
            seconds=self._options.seconds,
            insert=str(insert.get("id", "")),
            charts=f"{self._options.folder / store}/",
        )

    async def _live(self, broker: Broker) -> None:
        """Until the time is over, somebody says so, or one of the four ends."""
        ends = [asyncio.create_task(self._ended(daemon)) for daemon in self._daemons.values()]
        ends += [asyncio.create_task(self._stopped()), asyncio.create_task(self._fed_for_a_while(broker))]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _drain(self) -> None:
        """ETL first, so that the others hear what it still gives."""
        etl, *others = self._daemons.values()
        await etl.drained()
        await asyncio.gather(*(daemon.drained() for daemon in others))

    async def _stopped(self) -> None:
        await self._over.wait()

    async def _ended(self, daemon: Daemon) -> None:
        code = await daemon.ended()
        self._broken = f"{daemon.name} ended with {code} before it was told to"
        self._picture.tell(self._broken, self._clock.monotonic())

    async def _fed_for_a_while(self, broker: Broker) -> None:
        await self._picture.all_online(self._names.values())
        self._fed = self._clock.monotonic()
        dataset, rate, connection = self._options.dataset, self._options.rate, _connection(broker)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.seconds):
                await feed.publish(dataset, connection, rate=rate, clock=self._clock)

    async def _listen(self, broker: Broker) -> None:
        """Hear what the four publish, as any other client would."""
        topics = [f"riotd/{name}/{what}" for name in self._names.values() for what in ("stats", "status")]
        topics += [topic for flow in ("stats", "train", "pred") for topic in self._flows[flow].topics()]
        block = MqttSource.model_validate({
            "type": "mqtt",
            "url": broker.url,
            "protocol": broker.protocol,
            "topics": topics,
            "qos": 0,
        })
        async with Subscriber(block, client_id=f"riotd-demo-view-{os.getpid()}") as subscriber:
            while messages := await subscriber.receive(500):
                now = self._clock.monotonic()
                for message in messages:
                    self._picture.hear(message.topic, message.payload, now)

    async def _show(self) -> None:
        if not self._console.is_terminal:
            await self._tell()
        with Live(console=self._console, auto_refresh=False, screen=False) as live:
            while True:
                now = self._clock.monotonic()
                live.update(self._screen.render(self._elapsed(now), now, self._states()), refresh=True)
                await asyncio.sleep(1 / _FRAMES_PER_SECOND)

    async def _tell(self) -> None:
        """In a pipe: a line now and then, and what happens."""
        told = 0
        while True:
            await asyncio.sleep(_TOLD_EVERY)
            picture, now = self._picture, self._clock.monotonic()
            for event in picture.since(told):
                self._say(f"        {escape(event)}")
            told = picture.told
            if self._fed is None:
                self._say(f"        waiting for {', '.join(sorted({*self._names.values()} - picture.online))}")
                continue
            rows, force = self._screen.rows(), picture.models["linear_regression"].version or "no model yet"
            self._say(f"{self._elapsed(now):5.0f} s  {rows:,} rows in the table, {force} in force")

    def _say(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)

    def _elapsed(self, now: float) -> float:
        return 0.0 if self._fed is None else now - self._fed

    def _states(self) -> dict[str, str]:
        return {
            flow: self._daemons[flow].state(online=name in self._picture.online) for flow, name in self._names.items()
        }

    def _say_goodbye(self) -> int:
        """Print the ledgers; the exit code."""
        for daemon in self._daemons.values():
            self._say(f"[bold]{daemon.name:6}[/] exit {daemon.code}  {daemon.ledger() or 'no ledger'}")
            for line in daemon.last_lines() if daemon.code else ():
                self._say(f"        {escape(line)}")
        models = sum(model.taken for model in self._picture.models.values())
        self._say(f"{self._screen.rows():,} rows written, {models} models taken over; all of it in {self._folder}")
        if self._broken:
            self._say(f"[red]{self._broken}[/]")
        return int(bool(self._broken) or any(daemon.code for daemon in self._daemons.values()))


def _connection(broker: Broker) -> Connection:
    return Connection.model_validate({"url": broker.url, "protocol": broker.protocol})

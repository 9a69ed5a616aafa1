"""One run of the demo: broker, feed, daemon and view on one loop; ends after a while, or by Ctrl-C, by draining."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from rich.console import Console
from rich.live import Live

from riotd import wiring
from riotd.clock import SystemClock
from riotd.config import Config, Connection, MqttSource, load
from riotd.demo.broker import embedded_broker
from riotd.demo.feed import publish_city
from riotd.demo.view import Screen
from riotd.mqtt import Subscriber
from riotd.notify import Notifier
from riotd.supervisor import Supervisor

_FRAMES_PER_SECOND = 4


class Options(NamedTuple):
    """What a person may choose.

    Attributes:
        seconds: how long results are shown.
        rate: packs a second.
        url: a broker of one's own; else the embedded one.
        engine: `ray` or `inline`.
        folder: where the dead letters go.
    """

    seconds: float
    rate: float
    url: str | None
    engine: str
    folder: Path


class Demo:
    """Brings the parts together for a while."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        self._clock = SystemClock()

    async def run(self) -> int:
        """The exit code: the daemon's own."""
        async with _broker(self._options.url) as url:
            config = demo_config(url, self._options)
            self._service = wiring.build(config)
            rejects = str(self._options.folder / "rejects.jsonl")
            self._screen = Screen(title=url, rejects=rejects, seconds=self._options.seconds)
            self._supervisor = Supervisor(self._service, reload=lambda: config, notifier=Notifier())
            code = await self._together(Connection(url=url, protocol="3.1.1"))
        self._say_goodbye(rejects)
        return code

    async def _together(self, connection: Connection) -> int:
        beside = [
            asyncio.create_task(self._feed(connection), name="feed"),
            asyncio.create_task(self._listen(connection), name="listen"),
            asyncio.create_task(self._show(), name="show"),
            asyncio.create_task(self._end(), name="end"),
        ]
        life = asyncio.create_task(self._supervisor.run(), name="daemon")
        try:
            done, _ = await asyncio.wait({life, *beside}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {life}:
                task.result()  # only an error ends one of them before the daemon
            return await life
        finally:
            for task in (life, *beside):
                task.cancel()
            await asyncio.gather(life, *beside, return_exceptions=True)

    async def _feed(self, connection: Connection) -> None:
        await self._supervisor.ready.wait()
        await publish_city(connection, rate=self._options.rate, clock=self._clock)

    async def _listen(self, connection: Connection) -> None:
        """Hear what the daemon publishes, as any other client would."""
        topics = ["results/#", "riotd/demo/stats"]
        block = MqttSource(type="mqtt", url=connection.url, protocol=connection.protocol, topics=topics, qos=0)
        async with Subscriber(block, client_id=f"riotd-demo-view-{os.getpid()}") as subscriber:
            while messages := await subscriber.receive(500):
                for message in messages:
                    self._screen.hear(message.topic, message.payload)

    async def _show(self) -> None:
        begun = self._clock.monotonic()
        if not self._console.is_terminal:
            await self._tell(begun)
        with Live(console=self._console, auto_refresh=False, screen=False) as live:
            while True:
                if self._supervisor.ready.is_set():
                    self._screen.note = "waiting for the first statistics …"
                else:
                    begun = self._clock.monotonic()
                live.update(self._screen.render(self._clock.monotonic() - begun), refresh=True)
                await asyncio.sleep(1 / _FRAMES_PER_SECOND)

    async def _tell(self, begun: float) -> None:
        """In a pipe: a line now and then."""
        while True:
            await asyncio.sleep(5)
            self._console.print(f"{self._clock.monotonic() - begun:5.0f} s  {self._screen.heard} results heard")

    async def _end(self) -> None:
        """After the time asked for, do what Ctrl-C does; then wait to be cancelled."""
        await self._supervisor.ready.wait()
        await asyncio.sleep(self._options.seconds)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    def _say_goodbye(self, rejects: str) -> None:
        ledger, totals = self._service.pump.ledger, self._service.report()["messages"]
        books = f"received {ledger.received:,} = settled {ledger.settled:,} + in flight {ledger.in_flight:,}"
        self._console.print(f"[bold]ledger[/]  {books}")
        self._console.print(
            f"        {totals['results']:,} results published, {self._screen.heard:,} of them heard here; "
            f"{totals['rejected']:,} dead letters in {rejects}"
        )


def demo_config(url: str, options: Options) -> Config:
    """The demo's own file, for this broker and engine."""
    options.folder.mkdir(parents=True, exist_ok=True)
    rmtree(options.folder / "state", ignore_errors=True)  # each demo is a life of its own
    return load(
        Path(str(files("riotd.demo") / "demo.yaml")),
        [
            f"source.url={url}",
            f"engine.type={options.engine}",
            f"rejects.path={options.folder / 'rejects.jsonl'}",
            f"state.path={options.folder / 'state'}",
        ],
    )


@asynccontextmanager
async def _broker(url: str | None) -> AsyncIterator[str]:
    if url is not None:
        yield url
        return
    async with embedded_broker() as embedded:
        yield embedded

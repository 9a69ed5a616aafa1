"""A scratch system: broker, proxies, daemon, and the drill's own clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from riotd.drill import skewed
from riotd.drill.broker import Broker
from riotd.drill.client import Client, Hear
from riotd.drill.daemon import Daemon
from riotd.drill.feeder import Feeder
from riotd.drill.proxy import Proxy
from riotd.drill.strikes import System
from riotd.drill.subject import Subject


class Options(msgspec.Struct, frozen=True):
    """What a person may choose.

    Attributes:
        faults: which, of `FAULTS`.
        messages: how many; None is by the time.
        seconds: for how long, unless it is by messages.
        rate: messages a second.
        every: seconds between faults.
        seed: of the schedule.
        folder: for state, log, configuration; there, and empty.
        mosquitto: its program; else somebody's broker at `url`.
        url: host and port.
        kills: how many, spread over the messages; None is one fault after the other for as long as it is fed.
    """

    faults: tuple[str, ...]
    messages: int | None
    seconds: float
    rate: float
    every: float
    seed: int
    folder: Path
    mosquitto: str | None
    url: tuple[str, int] | None = None
    kills: int | None = None


def skipped(options: Options, engine: str) -> dict[str, str]:
    """Faults that can't be had here, and why."""
    reasons = {}
    if engine == "inline":
        reasons["kill-actor"] = "the inline engine has no actors"
    if options.url is not None:
        reasons["restart-broker"] = "the broker is yours"
    return {fault: why for fault, why in reasons.items() if fault in options.faults}


class Scratch:
    """What a drill is done to.

    Args:
        options: of the drill.
        subject: what the daemon runs.
        mark: what the daemon's processes, and our sessions, are known by.
    """

    def __init__(self, options: Options, subject: Subject, mark: str) -> None:
        self._options, self._subject, self._mark = options, subject, mark

    @asynccontextmanager
    async def laid_out(self, feeder: Feeder, hear: Hear) -> AsyncIterator[tuple[System, Client, Client]]:
        """The system, the client to feed by, and the one that hears, for as long as the context lasts.

        Raises:
            RiotdError: broker or daemon do not start.
        """
        folder, mark = self._options.folder, self._mark
        async with _broker(self._options) as (broker, host, port):
            inlet, outlet = Proxy(port, host=host), Proxy(port, host=host)
            async with inlet.listening(), outlet.listening():
                daemon = self._daemon(inlet.port, outlet.port)
                feeding = Client(host, port, f"drill-feed-{mark}", acknowledged=feeder.note)
                judging = Client(host, port, f"drill-judge-{mark}", filters=self._subject.filters, hear=hear)
                async with daemon.running(), _running(feeding), _running(judging):
                    yield System(daemon, inlet, outlet, broker, feeder, folder), feeding, judging

    def _daemon(self, inlet: int, outlet: int) -> Daemon:
        folder = self._options.folder
        arguments, skew = self._subject.prepare(folder, inlet=inlet, outlet=outlet), folder / "skew"
        skewed.write(skew, 0.0)
        return Daemon(arguments, folder, mark=self._mark, skew=skew if "skew-clock" in self._options.faults else None)


@asynccontextmanager
async def _broker(options: Options) -> AsyncIterator[tuple[Broker | None, str, int]]:
    """Host and port of the broker, and itself if it is ours."""
    if options.url is not None or options.mosquitto is None:
        host, port = options.url or ("127.0.0.1", 1883)
        yield None, host, port
        return
    folder = options.folder / "broker"
    folder.mkdir(exist_ok=True)
    broker = Broker(options.mosquitto, folder)
    async with broker.running():
        yield broker, "127.0.0.1", broker.port


@asynccontextmanager
async def _running(client: Client) -> AsyncIterator[None]:
    task = asyncio.create_task(client.run(), name="client")
    try:
        yield
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        await client.forget()
        if isinstance(outcome, Exception):
            raise outcome  # of ours: what can happen to a connection is not raised

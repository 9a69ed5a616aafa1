"""One run of `riotd replay`: connect, send, stop when told, sum up."""

import asyncio
import secrets
import signal
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from riotd.cli.progress import Bar
from riotd.clock import SystemClock
from riotd.config import Connection
from riotd.errors import TransportError
from riotd.mqtt import Publisher
from riotd.mqtt.credentials import tls_context
from riotd.mqtt.faults import probe
from riotd.replay import Numbered, Outbox, Pair, Progress, Recording, SourceLog, Topics, first_id, replay
from riotd.replay.lanes import Lanes

_CONNECTING = 10.0
"""Seconds a broker that accepts connections has to answer CONNECT."""


class Job(NamedTuple):
    """What is to be done.

    Attributes:
        connection: the broker.
        connections: how many to it.
        recording: what is to be sent.
        topics: where to.
        speed: times faster than recorded.
        qos: of the messages.
        limit: messages at most.
        total: bytes of the recording with all its passes; None if nobody knows.
        log: file for what was sent when; None for none.
        msgid: name of the entry for a message's number; None for none.
    """

    connection: Connection
    connections: int
    recording: Recording
    topics: Topics
    speed: float
    qos: int
    limit: int | None
    total: int | None
    log: Path | None = None
    msgid: str | None = None


class Ending(NamedTuple):
    """What became of it: how far it got, and the signal that stopped it, or 0."""

    progress: Progress
    signal: int


async def run(job: Job, bar: Bar) -> Ending:
    """Replay until the end, or until SIGINT or SIGTERM.

    Raises:
        TransportError: the broker can't be reached, or the recording can't be read.
    """
    progress = Progress()
    failure: TransportError | None = None
    with _stoppable() as caught:
        async with AsyncExitStack() as stack:
            try:
                outbox = _Watched(Lanes(await _connected(job, stack)), job, progress, bar)
                await _replay(job, await _logged(job, outbox, stack), progress)
            except TransportError as error:
                failure = error  # a publisher that is left by an exception would wrap it in a group
    if failure:
        raise failure
    return Ending(progress, caught[0] if caught else 0)


async def _replay(job: Job, outbox: Outbox, progress: Progress) -> None:
    try:
        await replay(
            job.recording,
            outbox,
            topics=job.topics,
            speed=job.speed,
            qos=job.qos,
            limit=job.limit,
            progress=progress,
        )
    except (OSError, EOFError, zlib.error) as error:
        raise TransportError(f"the recording can't be read: {error}") from error


async def _logged(job: Job, outbox: Outbox, stack: AsyncExitStack) -> Outbox:
    """The outbox, or one in front of it that notes what is sent, or has it bear its number, the same in both."""
    first = first_id()
    if job.log is not None:
        log = SourceLog(outbox, job.log, component="replay", first=first, wall=SystemClock().wall)
        outbox = await stack.enter_async_context(log)
    return outbox if job.msgid is None else Numbered(outbox, field=job.msgid, first=first)


def summary(job: Job, ending: Ending) -> dict[str, Any]:
    """The figures, for programs; `lag_ms` is null where no time was to be kept."""
    progress, lag = ending.progress, ending.progress.lag
    quantiles = {f"p{share}": round(lag.quantile(share / 100) * 1e3, 3) for share in (50, 99)}
    return {
        "messages": progress.sent,
        "bytes": progress.bytes,
        "seconds": round(progress.seconds, 3),
        "rate": round(progress.rate, 1),
        "lag_ms": {**quantiles, "max": round(lag.max * 1e3, 3)} if lag.count else None,
        "skipped": job.recording.skipped,
        "unnamed": job.topics.unnamed,
        "refused": progress.refused,
        "signal": ending.signal,
    }


def sentence(figures: dict[str, Any]) -> str:
    """The figures, for people."""
    text = "{messages:,} messages in {seconds:,.1f} s: {rate:,.0f}/s".format(**figures)
    if lag := figures["lag_ms"]:
        text += "; late by {p50:.1f} ms (p50), {p99:.1f} ms (p99)".format(**lag)
    for count, what in (("skipped", "lines passed over"), ("unnamed", "sent as unknown"), ("refused", "refused")):
        text += f"; {figures[count]:,} {what}" if figures[count] else ""
    return text + ("; stopped" if figures["signal"] else "")


class _Watched:
    """An outbox that keeps the bar up to date."""

    def __init__(self, outbox: Outbox, job: Job, progress: Progress, bar: Bar) -> None:
        self._outbox, self._job, self._progress, self._bar = outbox, job, progress, bar

    async def send_all(self, pairs: Sequence[Pair], *, qos: int = 0) -> int:
        """As `Outbox.send_all`."""
        refused = await self._outbox.send_all(pairs, qos=qos)
        progress = self._progress
        late = f", {progress.latest * 1e3:.1f} ms late" if progress.lag.count else ""
        self._bar.update(self._share(), f"{progress.sent:,} sent, {progress.rate:,.0f}/s{late}")
        return refused

    def _share(self) -> float:
        """How much is done, 0 to 1: of the limit, or of the recording's bytes."""
        job, sent = self._job, self._progress.sent
        share = sent / job.limit if job.limit else 0.0
        if job.total and job.recording.messages:
            share = max(share, sent / job.recording.messages * job.recording.bytes / job.total)
        return min(share, 1.0)


async def _connected(job: Job, stack: AsyncExitStack) -> list[Publisher]:
    """Publishers that have a connection; theirs is made again when it is lost, for ever, but the first must succeed."""
    connection = job.connection
    if fault := await probe(connection, await asyncio.to_thread(tls_context, connection, "replay")):
        raise TransportError(f"{connection.url}: {fault.text}")
    name = f"riotd-replay-{secrets.token_hex(2)}"
    publishers = [
        await stack.enter_async_context(Publisher(connection, client_id=f"{name}-{number}", where="replay"))
        for number in range(job.connections)
    ]
    try:
        async with asyncio.timeout(_CONNECTING):
            while not all(publisher.connected for publisher in publishers):
                if any(publisher.counters()["failures"] for publisher in publishers):
                    raise TransportError(f"{connection.url}: no connection")  # the log has just said why
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise TransportError(f"{connection.url}: no connection after {_CONNECTING:g} s") from None
    return publishers


@contextmanager
def _stoppable() -> Iterator[list[int]]:
    """SIGINT and SIGTERM end the block early; gives the list they are put into."""
    loop, task, caught = asyncio.get_running_loop(), asyncio.current_task(), list[int]()
    assert task is not None  # noqa: S101 - a coroutine is run by one

    def stop(number: int) -> None:
        caught.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        yield caught
    except asyncio.CancelledError:
        if not caught:
            raise
        task.uncancel()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

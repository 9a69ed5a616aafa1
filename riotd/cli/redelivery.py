"""One run of `riotd dlq replay`: each letter back to where it came from, noted once it is there."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from riotd import config as cfg
from riotd import logs
from riotd.channels import matches
from riotd.cli.progress import Bar
from riotd.letters import Letter, Replayed, fingerprint
from riotd.letters.replayed import Entry
from riotd.mqtt import Loop, Publisher
from riotd.mqtt.credentials import tls_context
from riotd.mqtt.faults import probe

_CONNECTING = 10.0
"""Seconds a broker that accepts connections has to answer CONNECT."""
_TOGETHER = 100
"""Letters that are sent and noted together: so many may be sent twice if this is killed."""


class Job(NamedTuple):
    """What is to be done.

    Attributes:
        config: whose letters they are.
        store: where they are kept.
        letters: which, the oldest first.
        oldest: number of the oldest letter there is.
    """

    config: cfg.Config
    store: Path
    letters: Sequence[Letter]
    oldest: int


class Way(NamedTuple):
    """Where a letter came from: a broker, or a file that is followed."""

    connection: cfg.Connection | None
    qos: int
    file: Path | None
    timed: bool = False


def run(job: Job, bar: Bar) -> dict[str, Any]:
    """Send them; how many were, and which can't be.

    Raises:
        ClickException: a broker can't be reached, a file not written, or no note made; what was sent by then is noted.
    """
    logs.setup("warning")
    if not os.access(job.store.parent, os.W_OK):
        raise click.ClickException(f"{job.store.parent}: not writable by this user; do it as the daemon's.")
    ways: dict[Way, list[Letter]] = {}
    not_sent = []
    for letter in job.letters:
        way = way_of(job.config, letter)
        if isinstance(way, Way):
            ways.setdefault(way, []).append(letter)
        else:
            not_sent.append({"letter": letter.number, "why": way})
    done = 0
    with asyncio.Runner(loop_factory=Loop) as runner:
        for way, letters in ways.items():
            runner.run(_send(job, way, letters, bar, done))
            done += len(letters)
    return {"sent": done, "not_sent": not_sent}


def sentence(summary: dict[str, Any]) -> str:
    """The summary, for people."""
    text = f"sent {summary['sent']:,} dead letters again"
    for each in summary["not_sent"]:
        text += f"\nnot letter {each['letter']}: {each['why']}"
    return text


def way_of(config: cfg.Config, letter: Letter) -> Way | str:
    """Which of the sources a letter's message came by; or why it can't go that way."""
    topic = letter.letter.topic
    if not topic:
        return "its message is not known: it was refused when tasks were flushed"
    why = f"no source takes in {topic}"
    for inlet in config.inlets:
        block = inlet.block
        if isinstance(block, cfg.MqttSource) and any(matches(each, topic) for each in block.topics):
            return Way(block.connection(), max(block.qos, 1), None)
        if isinstance(block, cfg.FileSource) and fnmatchcase(topic, block.path):
            if block.follow and not topic.endswith(".gz"):
                return Way(None, 0, Path(topic), block.format == "riotbench")
            why = f"{topic} is not followed: nobody would read what is appended to it"
    return why


async def _send(job: Job, way: Way, letters: Sequence[Letter], bar: Bar, done: int) -> None:
    replayed = Replayed(job.store)
    async with _outbox(way) as publisher:
        for group in _groups(letters):
            entries = [Entry(each.number, None, fingerprint(each.letter), each.times) for each in group]
            await asyncio.to_thread(replayed.add, entries, oldest=job.oldest)
            if publisher is not None:
                await publisher.send_all([(each.letter.topic, each.letter.payload) for each in group], qos=way.qos)
            elif way.file is not None:
                await asyncio.to_thread(_append, way.file, group, timed=way.timed)
            now = time.time()
            entries = [msgspec.structs.replace(entry, time=now) for entry in entries]
            await asyncio.to_thread(replayed.add, entries, oldest=job.oldest)
            done += len(group)
            bar.update(done, f"{done:,} sent")


def _groups(letters: Sequence[Letter]) -> Iterator[Sequence[Letter]]:
    for at in range(0, len(letters), _TOGETHER):
        yield letters[at : at + _TOGETHER]


def _append(file: Path, letters: Sequence[Letter], *, timed: bool) -> None:
    """Append their lines to a file that is followed; with the time in front if its format wants one."""
    front = b"%d," % (time.time() * 1000) if timed else b""
    data = b"".join([front + each.letter.payload + b"\n" for each in letters])
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND)
        try:
            if os.write(descriptor, data) != len(data):
                raise click.ClickException(f"{file}: the disk is full; a part of the letters was written.")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}.") from None


@asynccontextmanager
async def _outbox(way: Way) -> AsyncIterator[Publisher | None]:
    """A publisher that has a connection; None for a file."""
    connection = way.connection
    if connection is None:
        yield None
        return
    if fault := await probe(connection, await asyncio.to_thread(tls_context, connection, "source")):
        raise click.ClickException(f"{connection.url}: {fault.text}.")
    name = f"riotd-dlq-{secrets.token_hex(4)}"
    async with Publisher(connection, client_id=name, where="source") as publisher:
        problem = await _problem(publisher)
        if not problem:
            yield publisher
    if problem:  # not within: a publisher that is left by an exception puts it into a group
        raise click.ClickException(f"{connection.url}: {problem}.")


async def _problem(publisher: Publisher) -> str:
    """Why it gets no connection, "" if it has one."""
    try:
        async with asyncio.timeout(_CONNECTING):
            while not publisher.connected:
                if publisher.counters()["failures"]:
                    return "no connection"  # the log has just said why
                await asyncio.sleep(0.01)
    except TimeoutError:
        return f"no connection after {_CONNECTING:g} s"
    return ""

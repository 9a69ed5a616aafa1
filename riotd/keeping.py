"""The state of a daemon on disk: where it goes on after its end, and the snapshots it makes as it goes."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from riotd.clock import Clock
from riotd.errors import TransportError
from riotd.journal import Checkpoint, Checkpoints, DamagedError, Folder, Log, Suspects
from riotd.journal.history import History
from riotd.journal.shards import keep_shards, kept_shards
from riotd.journal.writer import Writer
from riotd.messages import REJECTS, Cut
from riotd.ports import RejectSink, Rewindable, Sink
from riotd.pump import Before, Pump
from riotd.units import size_text

_SHARE = 20
"""A snapshot that took a second is followed by so many seconds without one, so that it costs a twentieth at most."""
_SEGMENT = 16 * 2**20
"""Bytes of a segment of the journal at most: each is read whole at the start."""
_PROBE = bytes(65536)
_SLOW, _LONGEST = 0.002, 0.02
"""A disk that takes longer than this many seconds to keep 64 KiB gets a window as long; and the longest window."""
_STOPPED = "stopped"
"""A file in the folder: the daemon was stopped, and did nothing behind the snapshot whose number is in it."""
log = logging.getLogger(__name__)


class Keeper:
    """A state folder from its opening to its closing.

    Args:
        path: the folder.
        sinks: by name, in the order of the plan's outlets.
        every: seconds between snapshots.
        quota: bytes of the journal, past which nothing is taken in.
        clock: for the snapshots' times, and to measure what they take.

    Attributes:
        rejects: where dead letters go, if that is to be cut back too.
    """

    def __init__(self, path: Path, sinks: Mapping[str, Sink], *, every: float, quota: int, clock: Clock) -> None:
        self._folder = Folder(path)
        self._sinks, self._every, self._quota, self._clock = sinks, every, quota, clock
        self._checkpoints = Checkpoints(self._folder)
        self._suspects = Suspects(self._folder, path)
        self._urgent = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self.log = Log(self._folder, segment=max(min(_SEGMENT, quota // 4), 2**16))
        self.writer = Writer(self.log)
        self.rejects: RejectSink | None = None
        self._stopped = False
        self.found: Checkpoint | None = None
        self.history: History
        self.snapshots = self.snapshot_bytes = 0

    async def open(self) -> None:
        """Lock the folder, find what is there, and begin to write.

        Raises:
            ConfigError: another daemon has the folder.
            DamagedError: the journal is damaged where it matters.
        """
        await asyncio.to_thread(self._open)
        self.writer.start()

    async def shards(self, asked: int) -> int:
        """Before it is open, with how many shards to begin, where the config asks for so many."""
        return await asyncio.to_thread(kept_shards, self._folder, asked)

    async def remember_shards(self, asked: int, shards: int) -> None:
        """From the next start on begin with so many shards, for as long as the config asks for as many as now."""
        try:
            await self.writer.call(lambda _: keep_shards(self._folder, asked, shards))
        except OSError as error:
            log.error("the number of shards can't be kept for a restart: %s", error.strerror or error)  # noqa: TRY400 - the disk's, no trace

    def before(self, rewound: frozenset[int]) -> Before:
        """What the pump has to do again.

        Args:
            rewound: indexes of the sinks that have forgotten what they got since the snapshot.
        """
        found = self.found
        past, doing = self._suspects.steps(self.history), self._suspects.doing
        states = found.shards if found else ()
        return Before(states, past, self.log.settled, rewound, self.log.next, doing, self._convicted)

    @property
    def first(self) -> int:
        """Number of the first message that is done again, or of the next."""
        return self.found.sequence if self.found else self.log.first

    @property
    def position(self) -> bytes:
        """Where the source was at the snapshot; empty if there is none, or it could not say."""
        return self.found.source.get("position", b"") if self.found else b""

    async def rewind(self) -> frozenset[int]:
        """Have the sinks forget what they got since the snapshot; which of them could."""
        if self._stopped:  # nothing was done since: what is behind the snapshot is somebody else's
            return frozenset()
        marks = self._marks()
        return frozenset([
            index for index, sink in self._rewindable().items() if marks.get(index) and await sink.rewind(marks[index])
        ])

    async def begin(self, beginning: Cut) -> None:
        """Before anything is done: see that there is a snapshot to come back to, however early the end.

        Args:
            beginning: where sinks and source are, and the number of the next message.
        """
        if self.found is None and self.log.next == self.log.first:
            await self.save(beginning)
        if self._stopped and self.found is not None:
            if beginning.sinks != self._marks():
                await self.save(msgspec.structs.replace(beginning, states=self.found.shards))
            await self.writer.call(lambda _: self._mark_stopped(None))

    def _marks(self) -> dict[int, bytes]:
        """Where the sinks were at the snapshot, by index."""
        if self.found is None:
            return {}
        marks = {index: self.found.sinks.get(name, b"") for index, name in enumerate(self._sinks)}
        return {index: mark for index, mark in {**marks, REJECTS: self.found.rejects}.items() if mark}

    def _rewindable(self) -> dict[int, Rewindable]:
        ends: dict[int, object] = {**dict(enumerate(self._sinks.values())), REJECTS: self.rejects}
        return {index: end for index, end in ends.items() if isinstance(end, Rewindable)}

    async def room(self, size: int) -> None:
        """Wait until the journal may grow by so many bytes."""
        if self.log.size + size <= self._quota:
            return
        log.warning("the journal has reached %s: taking in nothing until it is shorter", size_text(self._quota))
        while self.log.size + size > self._quota and self.log.size > size:
            self._roomy.clear()
            self._urgent.set()
            await self._roomy.wait()
        log.info("the journal is shorter again")

    async def run(self, pump: Pump) -> None:
        """Make snapshots, until cancelled."""
        pause = self._every
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):  # not wait_for, which may keep a cancellation to itself
                    await self._urgent.wait()
            hurried, begun = self._urgent.is_set(), self._clock.monotonic()
            self._urgent.clear()
            await self.save(await pump.cut(), alone=hurried)
            self._roomy.set()
            pause = max(self._every, _SHARE * (self._clock.monotonic() - begun))

    async def save(self, cut: Cut, *, alone: bool = False) -> None:
        """Put a cut on disk, and drop what it makes superfluous; with `alone` earlier snapshots too.

        A disk that refuses is said, and the earlier snapshots go on to count.
        """
        source = {} if cut.source is None else {"position": cut.source}
        sinks = {name: cut.sinks[index] for index, name in enumerate(self._sinks) if index in cut.sinks}
        rejects = cut.sinks.get(REJECTS, b"")
        checkpoint = Checkpoint(cut.sequence, self._clock.wall(), cut.states, sinks, source, rejects=rejects)
        try:
            for sink in self._rewindable().values():
                await sink.sync()
            self.snapshot_bytes = await self.writer.call(lambda _: self._checkpoints.save(checkpoint, alone=alone))
            await self.writer.call(lambda journal: journal.prune(self._checkpoints.needed()))
        except (OSError, TransportError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or error
            log.error("no snapshot could be made: %s", why)  # noqa: TRY400 - the disk's, no trace
        else:
            self.snapshots += 1

    async def finish(self, cut: Cut | None) -> None:
        """The pump has ended by itself.

        Args:
            cut: the state of everything then; None if the stream has ended, so that nothing is to go on from here.
        """
        if cut is not None:
            await self.save(cut)
            with suppress(OSError):  # then it looks like a crash, with nothing behind the snapshot
                await self.writer.call(lambda _: self._mark_stopped(cut.sequence))
        else:
            await self.writer.call(lambda journal: journal.forget())
            await self.writer.call(lambda _: self._checkpoints.forget())

    async def leave(self) -> None:
        """Write what waits, and let others have the folder."""
        await self.writer.stop()
        await asyncio.to_thread(self._suspects.leave)
        await asyncio.to_thread(self._folder.close)

    def go_over(self, sinks: Mapping[str, Sink], rejects: RejectSink) -> None:
        """Other sinks, and perhaps another plan, from now on: a snapshot soon, so that nothing is done again by it."""
        self._sinks, self.rejects = sinks, rejects
        self._urgent.set()

    def counters(self) -> Mapping[str, int]:
        """For the statistics: bytes of the journal and of the last snapshot, and how many snapshots were made."""
        return {"journal_bytes": self.log.size, "snapshot_bytes": self.snapshot_bytes, "snapshots": self.snapshots}

    def _convicted(self, reasons: Mapping[int, str]) -> None:
        """Remember whom the engine refuses; nobody waits for it."""
        self.writer.call(lambda _: self._suspects.convict(reasons))

    def _mark_stopped(self, sequence: int | None) -> None:
        """Have it on disk whether there is nothing behind the snapshot of this number."""
        self._folder.remove(_STOPPED)
        if sequence is not None:
            self._folder.append(_STOPPED, b"%d" % sequence)
            self._folder.sync(_STOPPED)
        self._folder.sync_names()

    def _open(self) -> None:
        self._folder.lock()
        self.found = self._checkpoints.latest()
        if self.found is None and self._checkpoints.refused:
            raise DamagedError(self._checkpoints.why_none())
        stopped = self._folder.read(_STOPPED) if _STOPPED in self._folder.names() else b""
        self._stopped = self.found is not None and stopped == b"%d" % self.found.sequence
        if self.found:
            log.info(
                "going on from the snapshot of %s",
                datetime.fromtimestamp(self.found.wall, UTC).isoformat(" ", "seconds"),
            )
        for name, why in self._checkpoints.refused.items():
            log.error("%s: %s; going on from an earlier one", name, why)
        since = self.found.sequence if self.found else None
        self.log.open(start=int(self._clock.wall() * 1e6) if since is None else since, needed=since or 0)
        if self.log.cut:
            log.warning("%d bytes at the journal's end were not yet kept when the daemon ended: left out", self.log.cut)
        self.history = History(self.log.read(since=self.first), received=self._clock.monotonic())
        now = self._clock.wall()
        self._suspects.begin(now, first=self.first, settled=self.log.settled, following=self.log.next)
        self.writer.window = self._window()

    def _window(self) -> float:
        """Measure the disk."""
        took = []
        for _ in range(3):
            begun = self._clock.monotonic()
            self._folder.append("probe", _PROBE)
            self._folder.sync("probe")
            took.append(self._clock.monotonic() - begun)
        self._folder.remove("probe")
        best = min(took)
        log.info("state in %s: its disk keeps 64 KiB in %.1f ms", self._folder.path, best * 1e3)
        return min(best, _LONGEST) if best > _SLOW else 0.0

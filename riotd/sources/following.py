"""Following files as tail -F does: through rotation, truncation, and names that appear later."""

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from riotd.clock import Clock
from riotd.sources.holding import Holder
from riotd.sources.lines import LineCutter
from riotd.sources.positions import Offsets, Piece, Spot
from riotd.sources.resuming import Place, places, said
from riotd.sources.tailing import Tail
from riotd.sources.watching import Changes, FileKey, Sighting, Watch, tips

QUICK, POLL = 0.02, 0.25
"""Seconds between two looks at the files: while lines come, and at most; it doubles from one to the other."""
SHARE = 0.05
"""Part of the time that looking may take: with 10,000 files the looks are further apart."""
OPEN = 256
"""Files held open; an idle one beyond that is opened again when it has grown."""
REMEMBERED = 1024
"""Files whose position is kept after they have gone, in case they come back."""

log = logging.getLogger(__name__)


class Follower:
    """Reads whatever files a pattern leads to, for ever.

    Lines of one file come in its order, and a file is read to its end before the one that took its path is begun.
    What no program that polls can see is lost here too: a file rotated twice between two looks under names the
    pattern does not match, and what is written between the last read and a truncation. The copies that copytruncate
    makes are files of their own, to be kept out of the pattern.
    """

    ended = False

    def __init__(self, pattern: str, *, from_end: bool, max_line: int, offsets: Offsets, clock: Clock) -> None:
        self._pattern = pattern
        self._from_end = from_end
        self._offsets = offsets
        self._clock = clock
        self._watch = Watch(pattern)
        self._holder = Holder(OPEN)
        self._new_tail = partial(Tail, cutter=partial(LineCutter, max_line), serial=itertools.count().__next__)
        self._tails: dict[FileKey, Tail] = {}
        self._left: dict[FileKey, Tail] = {}
        self._holders: dict[str, Tail] = {}  # path to the file it led to last
        self._due: dict[FileKey, Tail] = {}
        self._later: dict[FileKey, Tail] = {}  # due at a later look
        self._next_look = 0.0
        self._pause = POLL
        self._news = self._turning = False
        self._waiting = False
        self._rotations = self._truncations = 0
        self._spots: Sequence[Spot] | None = None
        self.in_place = True

    def go_on(self, spots: Sequence[Spot]) -> None:
        """Before it is opened: where an earlier life was; files that are not among these have come since."""
        self._spots = spots

    def counters(self) -> Mapping[str, int]:
        """Files followed at present, and what happened to files since start."""
        return {"files": len(self._tails), "rotations": self._rotations, "truncations": self._truncations}

    async def open(self) -> None:
        """Look for the first time; files found now are read from where they were read to, or the configuration says."""
        changes = await asyncio.to_thread(self._watch.look)
        if self._spots is not None:
            self._go_on(await asyncio.to_thread(list, places(self._spots, changes.seen)), changes)
        ends = await asyncio.to_thread(tips, changes.seen) if self._from_end and self._spots is None else {}
        await self._take(changes)
        for key, (offset, tip) in ends.items():
            self._tails[key].skip_to(offset, tip)
            self._offsets.begin(self._tails[key].file, self._tails[key].path, offset=offset, tip=tip)

    async def close(self) -> None:
        """Let all files go."""
        await self._holder.close()

    async def tend(self) -> float:
        """Look again if it is time; gives the seconds until the next look."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._next_look:
            return self._next_look - loop.time()
        changes = await asyncio.to_thread(self._watch.look)
        await self._take(changes)
        if self._turning:  # a rotated file is judged by whether it is quiet from one look to the next: not too soon
            self._pause = POLL
        else:
            self._pause = QUICK if self._news else min(POLL, 2 * self._pause)
        self._news = False
        pause = max(self._pause, changes.cost / SHARE)
        self._next_look = loop.time() + pause
        return pause

    async def read(self) -> Piece | None:
        """The next lines of whichever file has some, one chunk of each in turn; None if none has."""
        while self._due:
            key, tail = next(iter(self._due.items()))
            del self._due[key]
            try:
                piece = await self._read(tail)
            except OSError as error:
                await self._fail(tail, error)
                continue
            if piece is not None and piece.more:
                self._due[key] = tail
            if piece is not None and (piece.more or piece.cut.used):
                self._news = True
                return piece
        return None

    # changes

    def _go_on(self, found: Sequence[Place], changes: Changes) -> None:
        log.info("%s: going on in the files of before, %d", self._pattern, len(found))
        seen = {sighting.key for sighting in changes.seen}
        for place in found:
            log.log(*said(place))
            self.in_place = self.in_place and place.path == place.spot.path == place.spot.topic and not place.trouble
            if place.key is None or place.key in self._tails:
                continue
            spot = place.spot
            tail = self._new_tail(Sighting(place.key, place.path, 0, 0))
            tail.go_on(spot.topic, place.offset, place.before)
            self._offsets.begin(tail.file, tail.path, topic=spot.topic, offset=place.offset, tip=spot.tip)
            older = self._holders.get(tail.path)
            if place.offset == 0 and older is not None and older.after is None:
                tail.after = older  # it had to wait then too
            tail.paths |= {spot.topic, spot.path}
            self._holders |= dict.fromkeys(tail.paths, tail)
            self._tails[tail.key] = self._later[tail.key] = tail
            if place.key not in seen:
                tail.vanish()

    async def _take(self, changes: Changes) -> None:
        self._say(changes.total)
        for key in changes.gone:
            self._tails[key].vanish()
            self._later[key] = self._tails[key]
        for tail in [self._see(sighting) for sighting in changes.seen]:
            if self._holder.has_room:
                await self._try_hold(tail)
        self._turning = any(tail.after or tail.rotation.under_way for tail in self._later.values())
        now = self._clock.monotonic()
        for key, tail in list(self._later.items()):
            if tail.after is None or tail.after.trouble or tail.after.rotation.gives_way(now):
                tail.after = None
                self._due[key] = self._later.pop(key)

    def _see(self, sighting: Sighting) -> Tail:
        tail = self._tails.get(sighting.key) or self._left.pop(sighting.key, None)
        before = self._holders.get(sighting.path)
        if tail is None:
            tail = self._new_tail(sighting)
            tail.after = before
            self._rotations += before is not None
        if tail.key not in self._tails:
            self._offsets.begin(tail.file, sighting.path, topic=tail.topic, offset=tail.offset)
        self._offsets.move(tail.file, sighting.path)
        if before is not None and before is not tail:
            before.rotation.begin()
        tail.see(sighting.path)
        if not tail.rotation.under_way:
            self._drop_paths(tail)
        self._tails[tail.key] = self._later[tail.key] = self._holders[sighting.path] = tail
        return tail

    def _drop_paths(self, tail: Tail) -> None:
        """Only the path that leads to it now, if any, still matters."""
        kept = set() if tail.gone else {tail.path}
        for path in tail.paths - kept:
            if self._holders.get(path) is tail:
                del self._holders[path]
        tail.paths &= kept

    def _say(self, total: int) -> None:
        if total and self._waiting:
            log.info("%s: there now", self._pattern)
            self._waiting = False
        elif not total and not self._tails and not self._waiting:
            log.warning("%s: no such file yet; waiting for it", self._pattern)
            self._waiting = True

    # one file

    async def _read(self, tail: Tail) -> Piece | None:
        if not await self._holder.hold(tail):
            await self._lose(tail)
            return None
        now = self._clock.monotonic()
        file = tail.file
        piece = await tail.read(now)
        if tail.trouble:
            log.info("%s: can be read again", tail.path)
            tail.trouble = ""
        if tail.file != file:
            self._restarted(tail)
            self._offsets.drop(file)
            self._offsets.begin(tail.file, tail.path)
        if piece.more or not (tail.gone or tail.rotation.under_way):
            return piece
        return await self._finish(tail, now) or piece

    async def _finish(self, tail: Tail, now: float) -> Piece | None:
        """A rotated file at its end: once no more news is to be expected, give what is left and let it go."""
        piece = await tail.finish() if tail.rotation.is_finished(now) else None
        if not tail.rotation.is_finished(now):
            self._later[tail.key] = tail
            return None
        if tail.gone:
            await self._forget(tail)
        else:
            tail.rotation.settle()
            self._drop_paths(tail)
        return piece

    async def _forget(self, tail: Tail) -> None:
        await self._holder.release(tail)
        tail.rotation.settle()
        self._drop_paths(tail)
        del self._tails[tail.key]
        self._later.pop(tail.key, None)
        self._offsets.close(tail.file, tail.last)
        tail.renew()
        self._left[tail.key] = tail
        if len(self._left) > REMEMBERED:
            del self._left[next(iter(self._left))]

    async def _lose(self, tail: Tail) -> None:
        """It is not to be found, or can't be read: try at the next look, unless no path leads to it any more."""
        if not tail.gone:
            self._later[tail.key] = tail
            return
        log.warning(
            "%s: gone before it was read; what it got after byte %d, if anything, is lost", tail.path, tail.offset
        )
        await self._forget(tail)

    async def _try_hold(self, tail: Tail) -> None:
        try:
            await self._holder.hold(tail)
        except OSError as error:
            await self._fail(tail, error)

    async def _fail(self, tail: Tail, error: OSError) -> None:
        reason = error.strerror or str(error)
        if tail.trouble != reason:
            log.warning("%s: %s; trying again", tail.path, reason)
        tail.trouble = reason
        await self._lose(tail)

    def _restarted(self, tail: Tail) -> None:
        self._truncations += 1
        if tail.truncated & (tail.truncated - 1) == 0:  # 1, 2, 4, 8, ...: a file rewritten all the time says so rarely
            log.info("%s: truncated or replaced; reading it from its start (%d times)", tail.path, tail.truncated)

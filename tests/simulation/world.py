"""A seed's world from its first life to the judge."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import mkdtemp

from tests.simulation.history import watched
from tests.simulation.judge import Broken, Figures, judge
from tests.simulation.life import Life
from tests.simulation.loop import Killed, SimulatedLoop
from tests.simulation.outside import SimulatedClock, outside
from tests.simulation.scenario import scenario
from tests.simulation.surroundings import Surroundings

_START = 1_000_000.0
"""Monotonic seconds at which a world begins."""
_WALL = 1_700_000_000.0 - _START
_PATIENCE = 300.0
"""Seconds within which a life that nothing ends must be done."""
_MOST = 20


def run(seed: int) -> tuple[Figures, list[str]]:
    """What the seed came to, and its trace.

    Raises:
        Broken, Stuck, or whatever a bug raises: with the trace as a note.
    """
    world = World(seed)
    try:
        return world.run(), world.trace
    except Exception as error:
        error.add_note("\n".join(world.trace))
        raise


class World:
    """All that is, for one seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._scenario = scenario(self._random)
        self._of = Surroundings(self._scenario, self._random)
        self.trace = self._of.trace
        self._now, self._boot = _START, 0
        self._settled: list[int] = []

    def run(self) -> Figures:
        """Life after life, then the judge."""
        folder = Path(mkdtemp(prefix="riotd-simulation-"))
        self._say(self._scenario.summary())
        try:
            for end, kill_at in self._ends():
                self._live(end, kill_at, folder)
        finally:
            shutil.rmtree(folder)
        refused = sum(said.what.stage == "daemon" for said in self._of.letters.got)
        return judge(self._of, self._settled, refused)

    def _ends(self) -> Iterator[tuple[str, int | None]]:
        yield from zip(self._scenario.ends, self._scenario.kills, strict=True)
        yield "", None

    def _live(self, end: str, kill_at: int | None, folder: Path) -> None:
        """One life."""
        number = len(self._settled)
        loop = SimulatedLoop(
            self._random,
            now=self._now,
            until=self._now + _PATIENCE,
            kill_at=None if end == "stop" else kill_at,
        )
        clock = SimulatedClock(loop, _WALL)
        shards = self._random.choice((1, 2, 3, 4))
        self._say(f"life {number}, {shards} shards, to {end or 'the end'} at step {kill_at}")
        with outside(loop, self._of.disk, self._boot), watched(self._of.histories):
            life = Life(self._of, loop, number, clock=clock, shards=shards, folder=folder)
            stop_after = self._random.expovariate(0.3) if end == "stop" else None
            try:
                loop.run_until_complete(life.live(stop_after=stop_after))
                alarms, books = life.pump.audit(), life.pump.ledger.report(life.pump.waiting)
                if alarms or books["residue"] or books["in_flight"]:
                    raise Broken(f"the books: {alarms} {books}")
            except Killed:
                pass
            finally:
                self._say(f"ended at {loop.time() - _START:.3f} s, step {loop.steps}")
                self._settled.append(life.settled)
                power = end == "power"
                life.die(power=power)
                loop.kill()
        self._now = loop.time() + self._random.choice((0.01, 1.0, 60.0))
        if power:
            self._boot += 1
            self._of.disk.crash()
        self._of.disk.begin()

    def _say(self, what: str) -> None:
        self._of.say(what)


logging.getLogger("riotd").addHandler(logging.NullHandler())

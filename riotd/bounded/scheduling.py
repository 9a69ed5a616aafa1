"""Several runs at one place: as many at once as it has lanes, each with its share of the shards."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import IO

import msgspec

from riotd.bounded.places import Place
from riotd.bounded.running import Progress, Run
from riotd.errors import ConfigError, TransportError

Watch = Callable[[Progress], None]
"""Told how far all of it is, again and again."""


def look_at_all(runs: Sequence[Run], place: Place) -> None:
    """Look at every input; one that can't be read fails, and is left out of what follows.

    Raises:
        ConfigError: with all mistakes, and whose they are where there are several inputs.
    """
    mistakes = []
    for run in runs:
        try:
            run.look()
        except TransportError as error:
            run.fail(error, place)
        except ConfigError as error:
            whose = f"{run.name}: " if len(runs) > 1 else ""
            mistakes += [msgspec.structs.replace(each, where=whose + each.where) for each in error.mistakes]
    if mistakes:
        raise ConfigError(mistakes)


def run_all(runs: Sequence[Run], place: Place, *, rejects: IO[bytes] | None = None, watch: Watch | None = None) -> None:
    """Run them to their ends; each has a report then, of its failure if need be.

    Those that go together are of about one size: they are taken the largest first.

    Args:
        runs: that were looked at.
        place: where.
        rejects: a file for refused lines.
        watch: told how far it is.

    Raises:
        InputRefused: a line was refused in a strict run; those not yet finished leave nothing.
        EngineError: the engine gave up; as above.
    """
    for group in _groups(runs, place.lanes):
        place.prepare(group[0].plan)
        if watch is not None:
            watch(_sum(runs))
        shares = [range(index, place.shards, len(group)) for index in range(len(group))]
        begun = [(run, run.steps(place, share, rejects)) for run, share in zip(group, shares, strict=True)]
        try:
            active = deque(begun)
            while active:
                run, steps = active.popleft()
                if _advanced(run, steps, place):
                    active.append((run, steps))
                if watch is not None:
                    watch(_sum(runs))
        finally:
            for _, steps in begun:  # whatever ended it, Ctrl-C at any instant too: no part of an output stays
                steps.close()


def _groups(runs: Sequence[Run], lanes: int) -> Generator[list[Run], None, None]:
    """Those that go together: of one plan, and not more than there are lanes."""
    waiting = sorted((run for run in runs if run.report is None), key=lambda run: run.size or 0, reverse=True)
    while waiting:
        plan = waiting[0].plan
        group = [run for run in waiting if run.plan == plan][:lanes]
        waiting = [run for run in waiting if run not in group]
        yield group


def _advanced(run: Run, steps: Generator[Progress, None, None], place: Place) -> bool:
    try:
        return next(steps, None) is not None
    except TransportError as error:
        run.fail(error, place)
        return False


def _sum(runs: Sequence[Run]) -> Progress:
    parts = [run.progress for run in runs]
    return Progress(
        sum(part.records for part in parts), sum(part.bytes for part in parts), sum(part.errors for part in parts)
    )

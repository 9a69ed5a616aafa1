"""One input through one flow: looked at, then read, cut, run, written, counted."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import IO

import msgspec

from riotd.bounded.cutting import Cut, Cutter
from riotd.bounded.figures import About, Figures, InputRefused, Report
from riotd.bounded.flows import Flow
from riotd.bounded.letters import Letters
from riotd.bounded.looking import Look, Reading, look
from riotd.bounded.places import Done, Place
from riotd.bounded.reading import Block, Input
from riotd.bounded.writing import Output, encoding_of
from riotd.dataflow import Plan
from riotd.errors import TransportError
from riotd.messages import Reject

_by_id = attrgetter("id")


class Progress(msgspec.Struct, frozen=True):
    """How far a run is.

    Attributes:
        records: lines done with.
        bytes: of the file, read.
        errors: refusals.
    """

    records: int = 0
    bytes: int = 0
    errors: int = 0


class Run:
    """One input: looked at when made, run by exhausting `steps`.

    Args:
        flow: what is done.
        source: path of what is read.
        target: path of what is written.
        reading: how it is to be read.
        strict: whether the first refusal ends the run.

    Attributes:
        plan: what shards run.
        size: bytes of the input; None if only reading tells.
        progress: how far it is.

    Raises:
        ConfigError: what is asked for does not fit the input.
        TransportError: the input can't be read.
    """

    def __init__(
        self, flow: Flow, source: Path | str, target: Path | str, *, reading: Reading, strict: bool = False
    ) -> None:
        self.flow, self.target = flow, str(target)
        self._input = Input(source)
        self._look: Look = look(flow, self._input.head(), reading)
        self._strict = strict
        self._early: list[Reject] = []
        self.plan: Plan = flow.plan(self._look.form, encoding_of(target))
        self.size = self._input.size
        self.progress = Progress()
        self._report: Report | None = None

    def ended(self) -> Report:
        """What became of it.

        Raises:
            RuntimeError: nothing has yet.
        """
        if self._report is None:
            raise RuntimeError(f"{self.name} has not been run")
        return self._report

    @property
    def name(self) -> str:
        """Path of the input."""
        return self._input.name

    def steps(self, place: Place, shards: Sequence[int], rejects: IO[bytes] | None) -> Generator[Progress, None, None]:
        """Run it; tells again and again how far it is.

        Args:
            place: prepared for its plan.
            shards: those of the place that it may use.
            rejects: a file for refused lines; None keeps none.

        Raises:
            InputRefused: a line was refused, and the run is strict.
            TransportError: input or output failed.
            EngineError: the engine did.
        """
        figures = Figures(self.plan)
        cutter = Cutter(self._look.keys_of, shards=shards, now=self._input.written)
        with ExitStack() as stack:
            output = stack.enter_context(Output(self.target, staged=len(self.flow.outlets) > 1))
            letters = stack.enter_context(Letters(rejects, self._input))
            for done in place.run(self._cuts(cutter, figures), cutter):
                figures.count(done)
                self._keep(done, output, letters, figures)
                self.progress = Progress(figures.records, self._input.position(), figures.errors)
                yield self.progress
        figures.unnamed = cutter.unnamed
        self._report = figures.report(self._about(place, shards))

    def fail(self, error: TransportError, place: Place) -> None:
        """It came to no end: the report says why."""
        self._report = Figures(self.plan).report(self._about(place, ()), failure=str(error))

    def _about(self, place: Place, shards: Sequence[int]) -> About:
        form = self._look.form.name
        return About(self.flow.name, self.name, self.target, form, place.name, max(len(shards), place.shards))

    def _cuts(self, cutter: Cutter, figures: Figures) -> Iterator[Cut]:
        blocks = iter(self._input)
        for cut in cutter.cut(self._fit(_without_header(blocks) if self._look.form.header else blocks)):
            figures.read(cut)
            yield cut

    def _fit(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The blocks, overlong lines taken out."""
        overlong = self._input.overlong
        for block in blocks:
            for number in sorted(overlong):
                block.lines[number - block.first] = b""
                self._early.append(Reject("input", number, "a line of more than 16 MiB"))
            overlong.clear()
            yield block

    def _keep(self, done: Done, output: Output, letters: Letters, figures: Figures) -> None:
        results = [result for _, outcome in done.outcomes for result in outcome.results]
        if len(done.outcomes) > 1 or done.cut is None:
            results.sort(key=_by_id)
        output.send(results)
        rejects = [reject for _, outcome in done.outcomes for reject in outcome.rejects]
        if not rejects and not self._early:
            return
        rejects = sorted(chain(rejects, self._early), key=_by_id)
        figures.refuse(rejects, early=len(self._early))
        self._early.clear()
        letters.add(rejects, done.cut)
        if self._strict:
            raise InputRefused(f"{self.name}: line", rejects[0])


def _without_header(blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks without the first line that is not blank."""
    for first, lines in blocks:
        at = next((index for index, line in enumerate(lines) if line.strip()), None)
        if at is not None:
            yield Block(first + at + 1, lines[at + 1 :])
            break
    yield from blocks

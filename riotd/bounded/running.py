"""One input through one flow: looked at, then read, cut, run, written, counted."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import IO

import msgspec

from riotd.bounded.cutting import Cut, Cutter
from riotd.bounded.figures import Figures
from riotd.bounded.flows import Flow, usable
from riotd.bounded.letters import Letters
from riotd.bounded.looking import Reading, look
from riotd.bounded.places import Done, Place
from riotd.bounded.reading import BLOCK, Block, Input
from riotd.bounded.report import About, InputRefused, Report
from riotd.bounded.writing import Output, encoding_of
from riotd.dataflow import Plan
from riotd.errors import TransportError
from riotd.messages import Reject


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
    """One input: to be looked at, then run by exhausting `steps`.

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
        report: what became of it, in the end.
    """

    def __init__(
        self, flow: Flow, source: Path | str, target: Path | str, *, reading: Reading, strict: bool = False
    ) -> None:
        self.flow, self.name, self.target = flow, str(source), str(target)
        self.plan = Plan(())
        self.size: int | None = None
        self.progress = Progress()
        self.report: Report | None = None
        self._reading, self._strict = reading, strict
        self._early: list[Reject] = []

    def look(self) -> None:
        """Look at the input, which says what plan it needs.

        Raises:
            ConfigError: what is asked for does not fit it.
            TransportError: it can't be read.
        """
        encoding = encoding_of(self.target)
        self._input = Input(self.name)
        self._look = look(self.flow, self._input.head(), self._reading)
        self.plan = self.flow.plan(self._look.form, encoding)
        self.size = self._input.size

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
        figures, shards = Figures(self.plan), usable(self.plan, shards)
        cutter = Cutter(self._look.keys_of, shards=shards, now=self._input.written)
        self._input.block = BLOCK * len(shards)  # a share for each that is worth a call
        with ExitStack() as stack:
            output = stack.enter_context(Output(self.target, staged=len(self.flow.outlets) > 1))
            letters = stack.enter_context(Letters(rejects, self._input))
            for done in place.run(self._cuts(cutter, figures), cutter):
                figures.count(done)
                self._keep(done, output, letters, figures)
                self.progress = Progress(figures.records, self._input.position(), figures.errors)
                yield self.progress
            self._keep(Done(None, []), output, letters, figures)  # lines refused behind the last that were taken
        figures.unnamed = max(0, cutter.unnamed - figures.errors) if self.flow.stateful else 0
        self.report = figures.report(self._about(self._look.form.name, place))

    def fail(self, error: TransportError, place: Place) -> None:
        """It comes to no end: the report says why."""
        self.report = Figures(self.plan).report(self._about("", place), failure=str(error))

    def _about(self, form: str, place: Place) -> About:
        return About(self.flow.name, self.name, self.target, form, place.name, place.width)

    def _cuts(self, cutter: Cutter, figures: Figures) -> Iterator[Cut]:
        blocks = iter(self._input)
        for cut in cutter.cut(self._fit(_without_header(blocks) if self._look.form.header else blocks)):
            figures.read(cut)
            yield cut

    def _fit(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The blocks, overlong lines taken out."""
        for block in blocks:
            if block.overlong:
                block.lines[-1] = b""
                self._early.append(Reject("input", block.first + len(block.lines) - 1, "a line of more than 16 MiB"))
            yield block

    def _keep(self, done: Done, output: Output, letters: Letters, figures: Figures) -> None:
        output.send(done.results())
        rejects = done.rejects()
        if not rejects and not self._early:
            return
        rejects = sorted(chain(rejects, self._early), key=attrgetter("id"))
        figures.refuse(rejects, early=len(self._early))
        self._early.clear()
        letters.add(rejects, done.cut)
        if self._strict:
            raise InputRefused(f"{self.name}: line", rejects[0])


def _without_header(blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks without the first line that is not blank."""
    for block in blocks:
        at = next((index for index, line in enumerate(block.lines) if line.strip()), None)
        if at is not None:
            yield block._replace(first=block.first + at + 1, lines=block.lines[at + 1 :])
            break
    yield from blocks

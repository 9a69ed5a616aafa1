"""Many dataflows measured one after the other, at the paper's rates or for their peaks."""

from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from riotd.benchmarks.flows.ends import Case
from riotd.benchmarks.flows.figures import Figures
from riotd.benchmarks.flows.measuring import Measured, Setting, measure
from riotd.benchmarks.flows.published import PUBLISHED, Published, rate
from riotd.benchmarks.stability import Trial, peak
from riotd.clock import Clock
from riotd.errors import RiotdError

_PRECISION = 0.1
_CEILING = 200_000.0
"""Messages a second: more the load can't send."""
_TICKS = 1.0
_DISTURBED = 0.25
"""Cores that other programs use, above which they take part in the result."""
_LATE = 0.010
"""Seconds: a load that is later than that in one message of twenty shows in the latencies."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a case came to.

    Attributes:
        case: which.
        offered: messages a second that it was given.
        figures: of that run.
        published: the paper's.
        peak: highest stable rate, if it was searched for.
        trials: rates tried for that, each with whether it was stable.
        letters: first dead letters.
        notes: what a reader must know.
        problem: why there are no figures, else "".
    """

    case: Case
    offered: float = 0.0
    figures: Figures | None = None
    published: Published | None = None
    peak: float | None = None
    trials: list[tuple[float, bool]] = []
    letters: list[str] = []
    notes: list[str] = []
    problem: str = ""

    @property
    def ratio(self) -> float | None:
        """Median latency over the published one."""
        if self.figures is None or self.figures.latency is None or self.published is None:
            return None
        return self.figures.latency.median / self.published.latency[1]


class Suite:
    """How a selection of dataflows is measured.

    Args:
        setting: of each run.
        clock: to measure by.
        rate: messages a second; None for the paper's of each data set.
        searching: None, or seconds of each trial on the way to the peak.
        said: told what is being done now.
    """

    def __init__(
        self,
        setting: Setting,
        clock: Clock,
        *,
        rate: float | None = None,
        searching: float | None = None,
        said: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._setting, self._clock, self._rate, self._searching = setting, clock, rate, searching
        self._said = said

    async def run(self, cases: Sequence[Case]) -> AsyncIterator[Line]:
        """The lines of the cases, in order, as they are done; what can't be run is a line that says why."""
        for case in cases:
            line = Line(case=case, offered=self._offered(case), published=PUBLISHED.get((case.flow, case.dataset)))
            try:
                yield await self._line(line)
            except RiotdError as error:
                yield msgspec.structs.replace(line, problem=str(error))

    def _offered(self, case: Case) -> float:
        """The rate asked for, or the paper's; of ticks one a second, or a minute would see one at most."""
        if self._rate is not None:
            return self._rate
        return _TICKS if case.flow == "train" else rate(case.flow, case.dataset)

    async def _line(self, line: Line) -> Line:
        self._said(f"{line.case.name} at {line.offered:,.0f}/s")
        found = await measure(line.case, line.offered, self._setting, self._clock)
        line = msgspec.structs.replace(line, figures=found.figures, letters=found.letters, notes=notes(found.figures))
        return line if self._searching is None else await self._searched(line, self._searching)

    async def _searched(self, line: Line, seconds: float) -> Line:
        setting = msgspec.structs.replace(self._setting, seconds=seconds, arrivals="constant")

        async def attempt(rate: float) -> Trial:
            self._said(f"{line.case.name}: trying {rate:,.0f}/s")
            found: Measured = await measure(line.case, rate, setting, self._clock)
            return found.trial

        search = peak(attempt, start=line.offered, precision=_PRECISION, ceiling=_CEILING)
        trials = [(trial.rate, trial.stable) async for trial in search]
        stable = [rate for rate, held in trials if held]
        return msgspec.structs.replace(line, trials=trials, peak=max(stable, default=None))


def notes(figures: Figures) -> list[str]:
    """What about a run's circumstances a reader of its figures must know."""
    found = []
    others = figures.cores.get("others")
    if others is not None and others.median > _DISTURBED:
        found.append(f"other programs took {others.median:.1f} cores")
    if figures.lateness is not None and figures.lateness.p95 > _LATE:
        found.append(f"the load was {figures.lateness.p95 * 1e3:.0f} ms late in one of twenty messages")
    if figures.rejected:
        found.append(f"{figures.rejected:,} dead letters")
    if figures.strange:
        found.append(f"{figures.strange:,} results of no message of the load")
    if not figures.selectivity:
        found.append("no result came: measure longer (--seconds), or fewer devices (--sensors): windows fill sooner")
    if figures.selectivity > 0.5 and figures.silent > 0.0:
        found.append(f"{figures.silent:.2%} of the messages without a result")
    return found

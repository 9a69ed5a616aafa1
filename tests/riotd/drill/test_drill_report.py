"""What a drill reports."""

from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.console import Console

from riotd.drill.judge import Counts
from riotd.drill.report import Episode, Report
from riotd.drill.screen import line, summary

EPISODES = [
    Episode("kill-daemon", 1.0, 2.0, 1.5, 7, recovered=True),
    Episode("kill-daemon", 4.0, 0.1, 0.0, 1, recovered=None),
    Episode("kill-daemon", 5.0, 2.0, 2.5, 0, recovered=True),
    Episode("half-open", 9.0, 60.0, 3.0, 0, recovered=False),
]
WELL = Report(
    seed=1,
    seconds=60.0,
    sent=100,
    acknowledged=100,
    results=Counts(heard=108, doubled=8),
    lost=0,
    longest=2.5,
    feeder_pause=0.01,
    episodes=EPISODES,
    skipped={"kill-actor": "the inline engine has no actors"},
    lives=4,
    deaths=[],
    code=0,
    ledger=(100, 100, 0),
    dead_letters=0,
    left_behind=0,
    examples=[],
)


def text(report: Report) -> str:
    """What is shown at the end."""
    console = Console(file=StringIO(), width=200)
    console.print(summary(report))
    return console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO


class TestKills:
    def test_doubled_is_told_for_one_kill(self) -> None:
        """Kills that followed each other at once share what came again; other faults don't count."""
        episodes = [
            Episode("kill-daemon", 1.0, 2.0, 1.5, 7, recovered=True),
            Episode("kill-daemon", 4.0, 0.1, 0.0, 1, recovered=None),
            Episode("kill-actor", 5.0, 2.0, 2.5, 20, recovered=True),
            Episode("half-open", 9.0, 60.0, 3.0, 99, recovered=True),
        ]
        assert msgspec.structs.replace(WELL, episodes=episodes).doubled_by_a_kill == 11

    def test_more_than_a_batch_is_a_complaint(self) -> None:
        """Of what comes again after a kill a batch is allowed, and no more."""
        assert msgspec.structs.replace(WELL, batch=7).complaints == []
        assert msgspec.structs.replace(WELL, batch=6).complaints == [
            "7 results came again after one kill, more than a batch of 6"
        ]

    def test_too_few_are_a_complaint(self) -> None:
        """Who asked for kills hears if there were fewer."""
        assert msgspec.structs.replace(WELL, kills=3, kills_asked=4).complaints == ["3 kills of 4"]
        assert "4 kills" in text(msgspec.structs.replace(WELL, kills=4, kills_asked=4))


class TestReport:
    def test_is_well_although_results_came_twice(self) -> None:
        """Doubled results and long silences are figures, and no complaints."""
        assert WELL.complaints == []
        assert "nothing lost" in text(WELL)
        assert WELL.data()["well"]

    @pytest.mark.parametrize(
        "change",
        [
            {"lost": 1},
            {"acknowledged": 99},
            {"results": Counts(late=1)},
            {"results": Counts(wrong=1)},
            {"results": Counts(unknown=1)},
            {"dead_letters": 1},
            {"deaths": ["exit 1"]},
            {"code": 1},
            {"code": None},
            {"ledger": (100, 99, 1)},
            {"left_behind": 1},
        ],
    )
    def test_complains_of_everything_else(self, change: dict[str, Any]) -> None:
        """Each promise that was not kept is one line, and the drill is not well."""
        report = msgspec.structs.replace(WELL, **change)
        assert len(report.complaints) == 1
        assert report.complaints[0] in text(report)
        assert not report.data()["well"]

    def test_sums_up_by_fault(self) -> None:
        """Times, doubled results and silences; a kill followed by another at once has no silence of its own."""
        kills = WELL.faults()["kill-daemon"]
        assert (kills["times"], kills["doubled"], kills["doubled_most"]) == (3, 8, 7)
        assert (kills["silence_median_s"], kills["silence_most_s"]) == (2.0, 2.5)
        assert WELL.faults()["half-open"]["not_recovered"] == 1
        assert "not caught up" in line(EPISODES[-1])

"""What a drill has found: as plain data, and whether it is well."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

import msgspec

from riotd.drill.judge import Counts

KILLS: Final = ("kill-daemon", "kill-actor")
"""Faults after which at most a batch comes again."""


class Episode(msgspec.Struct, frozen=True):
    """A fault and what came of it.

    Attributes:
        fault: its name.
        at: seconds since the feed began.
        took: seconds until the daemon had caught up again.
        silence: seconds, the longest that a device had no result from the fault on until then.
        doubled: results that came again in that time.
        recovered: whether it has caught up, within a minute; None if that was not awaited.
        doubled_after: results that came again from the fault on until the next one, or the end.
    """

    fault: str
    at: float
    took: float
    silence: float
    doubled: int
    recovered: bool | None
    doubled_after: int = 0


class Report(msgspec.Struct, frozen=True):
    """A drill's end.

    Attributes:
        seed: of the schedule.
        seconds: from the first message on.
        sent, acknowledged: by the feeder, by the broker.
        results: what the judge has counted.
        lost: acknowledged, and without result.
        longest: seconds, the longest silence of a device while it was fed.
        feeder_pause: seconds, the longest that the feeder itself was held up, by the machine.
        episodes: the faults that struck, in order.
        skipped: faults that could not be had, and why.
        lives: how often the daemon was started.
        deaths: how it ended of its own accord.
        code: its exit code at the end.
        ledger: received, settled, in flight, as its last life said it at its end.
        dead_letters: there should be none.
        left_behind: processes that were still there a while after the end.
        examples: the first few of whatever is wrong, in words.
        kills: processes that were killed, if a number was asked for.
        kills_asked: that number.
        batch: messages in a batch of the daemon's, at most; 0 if it is not known.
    """

    seed: int
    seconds: float
    sent: int
    acknowledged: int
    results: Counts
    lost: int
    longest: float
    feeder_pause: float
    episodes: Sequence[Episode]
    skipped: Mapping[str, str]
    lives: int
    deaths: Sequence[str]
    code: int | None
    ledger: tuple[int, int, int] | None
    dead_letters: int
    left_behind: int
    examples: Sequence[str]
    kills: int = 0
    kills_asked: int = 0
    batch: int = 0

    @property
    def doubled_by_a_kill(self) -> int:
        """The most results that came again after a kill; of kills that followed each other at once the mean."""
        most = doubled = kills = 0
        for episode in self.episodes:
            if episode.fault not in KILLS:
                doubled = kills = 0
                continue
            doubled, kills = doubled + max(episode.doubled, episode.doubled_after), kills + 1
            if episode.recovered is not None:
                most, doubled, kills = max(most, -(-doubled // kills)), 0, 0
        return most

    @property
    def complaints(self) -> list[str]:
        """Why it is not well; empty if it is."""
        counts = self.results
        found = {
            f"{self.lost:,} messages lost": self.lost,
            f"{self.sent - self.acknowledged:,} messages the broker did not acknowledge": self.sent - self.acknowledged,
            f"{counts.late:,} results out of order": counts.late,
            f"{counts.wrong:,} results from a wrong state": counts.wrong,
            f"{counts.unknown:,} results that nobody expects": counts.unknown,
            f"{self.dead_letters:,} dead letters": self.dead_letters,
            f"the daemon ended by itself: {', '.join(self.deaths)}": len(self.deaths),
            f"the daemon's last exit code is {self.code}": self.code,
            f"in flight at the end: {self.ledger[2] if self.ledger else 0:,}": bool(self.ledger and self.ledger[2]),
            f"{self.left_behind} processes left behind": self.left_behind,
            f"{self.kills} kills of {self.kills_asked}": self.kills < self.kills_asked,
            f"{self.doubled_by_a_kill:,} results came again after one kill, more than a batch of {self.batch:,}": (
                self.batch and self.doubled_by_a_kill > self.batch
            ),
        }
        return [text for text, count in found.items() if count or count is None]

    def faults(self) -> dict[str, dict[str, float]]:
        """By fault: how often; results doubled in all and at most; median and longest silence, in seconds."""
        found: dict[str, dict[str, float]] = {}
        for name in dict.fromkeys(episode.fault for episode in self.episodes):
            mine = [episode for episode in self.episodes if episode.fault == name]
            awaited = [episode.silence for episode in mine if episode.recovered is not None]
            found[name] = {
                "times": len(mine),
                "doubled": sum(episode.doubled for episode in mine),
                "doubled_most": max(episode.doubled for episode in mine),
                "silence_median_s": round(median(awaited), 3) if awaited else 0.0,
                "silence_most_s": round(max(awaited, default=0.0), 3),
                "not_recovered": sum(episode.recovered is False for episode in mine),
            }
        return found

    def data(self) -> dict[str, Any]:
        """For programs."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        known = {"well": not self.complaints, "complaints": self.complaints, "faults": self.faults()}
        return {**known, "doubled_by_a_kill": self.doubled_by_a_kill, **found}

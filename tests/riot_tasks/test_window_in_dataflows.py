"""`window` as a stage: the file in docs/tasks.md, run as a daemon would."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riotd import config
from riotd.dataflow import Plan
from riotd.messages import Outcome, Portion
from riotd.shard import Shard

DOCS = Path(__file__).resolve().parents[2] / "docs/tasks.md"
NOW = 1.7e9 - 1.7e9 % 3600  # a full hour


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """The plan of the file in the section of `window`."""
    section = DOCS.read_text(encoding="utf-8").partition("\n## window\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^    (.+)$", section, re.MULTILINE)
    file = tmp_path / "minutes.yaml"
    file.write_text("\n".join(lines).replace("/var/lib/riotd", str(tmp_path)), encoding="utf-8")
    return config.plan(config.load(file))


class Reading(NamedTuple):
    """What a device says, in seconds after `NOW`."""

    device: int
    time: float
    temperature: float

    def payload(self) -> bytes:
        """As a pack."""
        entry = {
            "bn": f"dev{self.device}:",
            "n": "temperature",
            "u": "Cel",
            "t": NOW + self.time,
            "v": self.temperature,
        }
        return orjson.dumps([entry])


def _run(plan: Plan, readings: Sequence[Reading], *, size: int = 1000, shards: int = 1) -> list[Outcome]:
    """What as many shards say to the readings, in portions cut from so many of them, and to the end."""
    said = []
    for worker in range(shards):
        shard = Shard(plan)
        for at in range(0, len(readings), size):
            mine = [n for n in range(at, min(at + size, len(readings))) if readings[n].device % shards == worker]
            if mine:
                keys = [f"dev{readings[n].device}" for n in mine]
                said.append(shard.run(Portion(at, NOW + at, mine, keys, [readings[n].payload() for n in mine])))
        said.append(shard.run(Portion(len(readings), NOW, [], [], [], end=True)))
    return said


def _results(plan: Plan, outcomes: Iterable[Outcome], sink: str) -> list[tuple[str, int, Any]]:
    """Source, id and content of what goes to a sink, in an order that shards have no part in."""
    index = [outlet.sink for outlet in plan.outlets].index(sink)
    found = [result for outcome in outcomes for result in outcome.results if result.outlet == index]
    rows = [(result.source, result.id, orjson.loads(result.payload)) for result in found]
    return sorted(rows, key=lambda row: row[:2])


def _counts(outcomes: Iterable[Outcome]) -> Counter[str]:
    total: Counter[str] = Counter()
    for outcome in outcomes:
        for tally in outcome.tallies:
            total.update(tally.counts)
    return total


TIMES = [0.0, 30.0, 64.0, 50.0, 66.0, 40.0, 1e9, 400.0, 41.0]
"""Of one device: minutes in turns, one corrected, a wrong clock, and a reading that is too late."""


def test_minutes_go_out_and_late_data_to_their_file(plan: Plan) -> None:
    """Each minute's mean and p95 are sent, a corrected one again; what is late or ahead goes to the other sink."""
    outcomes = _run(plan, [Reading(1, time, 20.0 + at) for at, time in enumerate(TIMES)])
    assert all(outcome.rejects == [] for outcome in outcomes)
    packs = [(number, pack) for _, number, pack in _results(plan, outcomes, "results")]
    minutes = [(number, pack[0]["bt"], [entry["v"] for entry in pack]) for number, pack in packs]
    assert minutes == [
        (4, NOW + 59.999, pytest.approx([64 / 3, 22.8])),
        (5, NOW + 59.999, pytest.approx([22.25, 24.7])),
        (7, NOW + 119.999, pytest.approx([23.0, 23.9])),
        (7, NOW + 419.999, pytest.approx([27.0, 27.0])),
    ]
    late = [(number, line["time"] - NOW, line["values"]) for _, number, line in _results(plan, outcomes, "late")]
    assert late == [(6, 1e9, {"temperature": 26.0}), (8, 41.0, {"temperature": 28.0})]
    assert _counts(outcomes) == {"late": 1, "ahead": 1}


some = st.builds(Reading, st.integers(0, 3), st.integers(0, 600).map(float), st.integers(-20, 40))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])  # the plan does not change
@given(readings=st.lists(some, max_size=80), size=st.integers(1, 20), shards=st.integers(1, 3))
def test_neither_shards_nor_batches_matter(plan: Plan, readings: list[Reading], size: int, shards: int) -> None:
    """Devices in any disorder, cut in portions of any size for any number of shards: each result is the same."""
    whole, cut = _run(plan, readings), _run(plan, readings, size=size, shards=shards)
    for sink in ("results", "late"):
        assert _results(plan, cut, sink) == _results(plan, whole, sink)
    assert _counts(cut) == _counts(whole)


def test_a_silent_device_has_its_last_minute_too(plan: Plan) -> None:
    """When no record has come for `idle_timeout`, a tick brings what is open, in a shard that was restored, too."""
    shard, fresh = Shard(plan), Shard(plan)
    reading = Reading(1, 5.0, 21.0)
    outcome = shard.run(Portion(0, NOW, [3], ["dev1"], [reading.payload()]))
    assert (outcome.results, outcome.timed) == ([], 1)
    fresh.restore(shard.snapshot())
    early, due, again = (fresh.run(Portion(at, NOW + at, [], [], [], tick=True)) for at in (119, 121, 300))
    assert _results(plan, [early, again], "results") == []
    assert [row[:2] for row in _results(plan, [due], "results")] == [("dev1", 3)]

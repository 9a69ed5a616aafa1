import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from riotd import catalog
from riotd.benchmarks.brokered import TASKS
from riotd.benchmarks.chart import Bar, svg
from riotd.benchmarks.measuring import Setting, latency, throughput
from riotd.benchmarks.published import PEAKS
from riotd.benchmarks.suite import KNOWN, one_core
from riotd.benchmarks.workloads import WORKLOADS, workload
from riotd.cli.bench import command
from riotd.clock import SystemClock
from riotd.engines.inline import InlineEngine

SHORT = Setting(lambda plan, shards: InlineEngine(plan, shards=shards), warm_up=0.02, seconds=0.1)


def test_every_published_task_is_measured() -> None:
    """Each of RIoTBench's 27 tasks has a workload or is measured at a broker, and so has a published rate."""
    assert len(PEAKS) == 27
    assert set(PEAKS) <= set(KNOWN)


@pytest.mark.parametrize("task", sorted(WORKLOADS))
async def test_a_workload_is_work(task: str, tmp_path: Path) -> None:
    """A task does its workload at some rate, and refuses none of it."""
    figures = await throughput(workload(task, tmp_path), SHORT, SystemClock())
    assert figures.rate > 0
    assert figures.cpu > 0
    assert (figures.rejected, figures.reason) == (0, "")


async def test_an_offered_rate_is_the_rate(tmp_path: Path) -> None:
    """At 500 messages a second for half a second about 250 are offered, settled, and timed."""
    setting = Setting(SHORT.make, warm_up=0.0, seconds=0.5)
    trial = await latency(workload("noop", tmp_path), setting, SystemClock(), rate=500.0)
    assert trial.offered == 250
    assert len(trial.latencies) == 250
    assert all(seconds >= 0 for seconds in trial.latencies)


def test_one_core_is_left_again() -> None:
    """Within it the process has one core, after it those it had."""
    before = os.sched_getaffinity(0)
    with one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_the_verb_writes_figures_and_a_chart(tmp_path: Path) -> None:
    """`riotd bench tasks NAME` says rate and ratio, and writes both as JSON and as a chart that names the task."""
    arguments = ["tasks", "KAL", "--seconds", "0.1", "--warm-up", "0.05", "--repetitions", "1", "-o", str(tmp_path)]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert "kalman_filter" in done.output
    (line,) = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))["tasks"]
    assert line["ratio"] == pytest.approx(line["rate"] / 68_000)
    assert "kalman_filter" in "".join(ET.parse(tmp_path / "tasks.svg").getroot().itertext())


def test_a_name_nobody_knows_is_a_usage_error() -> None:
    """A task that does not exist is named, with the one that may be meant, and nothing is measured."""
    done = CliRunner().invoke(command, ["tasks", "kalman_filtre"])
    assert done.exit_code == 2
    assert "kalman_filter" in done.output


def test_a_task_without_a_published_rate_has_a_bar_without_ratio() -> None:
    """The chart shows the ratio where there is a published rate, and only there."""
    picture = svg([Bar("one", 200.0, 100.0), Bar("two", 50.0, None)], title="t", caption="c").decode()
    assert "2.00 of the published" in picture
    assert picture.count("of the published") == 1


def test_every_task_can_be_measured() -> None:
    """No registered task is without a workload, but error_estimate, which follows from two others."""
    assert set(catalog.names()) - set(WORKLOADS) - set(TASKS) <= {"error_estimate"}

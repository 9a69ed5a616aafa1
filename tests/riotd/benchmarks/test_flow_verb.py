"""`riotd bench flows`, whole: a short run of each dataflow, the page it makes, and what it refuses."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from riotd.benchmarks.broker import mosquitto
from riotd.benchmarks.flows.columns import HEADS, ours, remarks, stage_rows, theirs
from riotd.benchmarks.flows.drawings import drawings
from riotd.benchmarks.flows.ends import Case, Engine, Place, ends
from riotd.benchmarks.flows.figures import Figures, StageCost
from riotd.benchmarks.flows.furnishing import annotations
from riotd.benchmarks.flows.page import page
from riotd.benchmarks.flows.prepared import Wanted
from riotd.benchmarks.flows.published import DATASETS, FLOWS, PUBLISHED, Flow, rate
from riotd.benchmarks.flows.spreads import spread
from riotd.benchmarks.flows.suite import Line, notes
from riotd.benchmarks.machine import Machine, machine
from riotd.cli.bench import command
from riotd.errors import ConfigError
from riotd.feeds import Dataset
from riotd.shipped import folder

needs_mosquitto = pytest.mark.skipif(mosquitto() is None, reason="mosquitto is not installed")
MEASURED = Figures(
    rate=5000.0,
    results=4990.0,
    selectivity=0.998,
    latency=spread([0.001 * number for number in range(5, 25)]),
    lateness=spread([0.0001] * 5),
    jitter=spread([0.01, -0.01, 0.0]),
    arrived=[5000, 5001],
    departed=[4990, 4989],
    queue=[3, 5],
    cores={"riotd": spread([0.9, 1.1]), "others": spread([0.02])},  # type: ignore[dict-item] # there are numbers
    memory={"riotd": spread([60e6])},  # type: ignore[dict-item] # as above
    cpu=200.0,
    stages=[StageCost("parse", 1.0, 8.0, 50.0, waits=False), StageCost("insert", 1.0, 1.0, 900.0, waits=True)],
    silent=0.002,
    strange=0,
    rejected=0,
    stable=True,
)


def line(flow: Flow, dataset: Dataset, figures: Figures | None = MEASURED, **more: object) -> Line:
    made = Line(case=Case(flow, dataset), offered=5000.0, figures=figures, published=PUBLISHED.get((flow, dataset)))
    return msgspec.structs.replace(made, **more)


def test_the_paper_s_cases() -> None:
    """All four dataflows over all four data sets, but for what learns and predicts over GRID."""
    missing = {(flow, dataset) for flow in FLOWS for dataset in DATASETS} - set(PUBLISHED)
    assert missing == {("train", "grid"), ("pred", "grid")}
    assert (rate("etl", "grid"), rate("pred", "city"), rate("train", "fit")) == (10_000, 5_000, 1 / 60)
    assert PUBLISHED["etl", "city"].busy == pytest.approx(6.16)


@pytest.mark.parametrize(("flow", "dataset"), PUBLISHED)
def test_every_case_has_its_ends(flow: Flow, dataset: Dataset, tmp_path: Path) -> None:
    """Each configuration that comes with riotd has a topic for messages and others for results, all at one broker."""
    annotations(Wanted(dataset=dataset, rate=10.0, seconds=1.0), tmp_path)
    place = Place(tmp_path, "mqtt://127.0.0.1:7", Engine("ray", 3), {})
    found = ends(Case(flow, dataset), folder(), place)
    assert dataset in found.topic
    assert found.results
    assert all(dataset in each and "{" not in each for each in found.results)
    assert (found.host, found.port, found.config.engine.type, found.config.engine.shards) == ("127.0.0.1", 7, "ray", 3)
    assert {inlet.block.url for inlet in found.config.inlets} == {"mqtt://127.0.0.1:7"}  # type: ignore[union-attr] # MQTT


def test_what_models_do_is_no_result(tmp_path: Path) -> None:
    """PRED's results are classes and errors; what becomes of a model follows from no message."""
    found = ends(Case("pred", "city"), folder(), Place(tmp_path, "mqtt://127.0.0.1:7", Engine(), {}))
    assert found.results == ["city/pred/+/class", "city/pred/+/error"]


def test_a_folder_without_dataflows_is_refused(tmp_path: Path) -> None:
    """A configuration that is not there is named, with the option that says where they are."""
    with pytest.raises(ConfigError, match=r"etl\.yaml.*--configs"):
        ends(Case("etl", "city"), tmp_path, Place(tmp_path, "mqtt://127.0.0.1:7", Engine(), {}))


@needs_mosquitto
@pytest.mark.parametrize(
    ("flow", "dataset", "rate", "each"), [("etl", "city", 300, 1), ("pred", "fit", 100, 2), ("train", "taxi", 4, 2)]
)
def test_a_dataflow_is_measured(flow: Flow, dataset: Dataset, rate: int, each: float, tmp_path: Path) -> None:
    """A short run gives the rate asked for, the flow's results to each message, latencies, and a page beside JSON."""
    arguments = ["flows", flow, "--with", dataset, "--rate", str(rate), "--seconds", "2", "--warm-up", "1"]
    done = CliRunner().invoke(command, [*arguments, "--engine", "inline", "-o", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.output)
    (made,) = document["flows"]
    figures = made["figures"]
    assert figures["rate"] == pytest.approx(rate, rel=0.05)
    assert figures["selectivity"] == pytest.approx(each, rel=0.05)
    assert (figures["strange"], figures["rejected"]) == (0, 0)
    assert 0 < figures["latency"]["min"] <= figures["latency"]["median"]
    assert made["ratio"] == pytest.approx(figures["latency"]["median"] / PUBLISHED[flow, dataset].latency[1])
    assert json.loads((tmp_path / "flows.json").read_bytes()) == document
    assert f"{flow.upper()} {dataset.upper()}" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert ET.parse(tmp_path / "latency.svg").getroot().tag.endswith("svg")


def test_what_was_not_published_is_refused() -> None:
    """The paper predicts nothing for GRID: that is wrong usage, and nothing is measured."""
    done = CliRunner().invoke(command, ["flows", "pred", "--with", "grid"])
    assert done.exit_code == 2
    assert "GRID" in done.output


@pytest.mark.parametrize("rate", ["fast", "-1", "0", "nan", "1e9"])
def test_a_rate_is_the_paper_s_or_a_number(rate: str) -> None:
    """A rate that is none is wrong usage."""
    done = CliRunner().invoke(command, ["flows", "etl", "--rate", rate])
    assert done.exit_code == 2


def test_a_page_needs_nothing_else() -> None:
    """All cases, those that failed too, are on one page of well-formed drawings that loads nothing from anywhere."""
    lines = [line(flow, dataset) for flow, dataset in PUBLISHED]
    lines.append(line("etl", "city", None, problem="there is no <mosquitto>"))
    drawn = drawings(lines)
    assert list(drawn) == ["latency", "throughput", "jitter", "cpu", "memory"]
    for drawing in drawn.values():
        ET.fromstring(drawing)
    text = page(lines, drawn, machine=machine(), when="now", setting="<inline>")
    assert all(f"{flow.upper()} {dataset.upper()}" in text for flow, dataset in PUBLISHED)
    assert "there is no &lt;mosquitto&gt;" in text
    assert not re.search(r"(?:src|href)=|@import|url\(", text)


def test_nothing_measured_is_drawn_as_nothing() -> None:
    """Where no case could be run there is a page that says so, without drawings."""
    lines = [line("etl", "city", None, problem="no broker")]
    assert drawings(lines) == {}
    assert "no broker" in page(lines, {}, machine=Machine("", 0, 0, "", {}), when="", setting="")


def test_rows_have_a_cell_for_each_head() -> None:
    """Ours and the published row are as long as the heads, with and without figures; what is better is marked so."""
    for each in (line("etl", "city"), line("train", "fit"), line("etl", "city", None)):
        assert len(ours(each)) == len(HEADS)
        assert len(theirs(each) or HEADS) == len(HEADS)
    cells = dict(zip(HEADS, ours(line("etl", "city")), strict=True))
    assert (cells["held"], cells["ratio"]) == (("yes", "good"), ("0.41", "good"))
    slow = msgspec.structs.replace(MEASURED, latency=spread([0.07]), stable=False)
    cells = dict(zip(HEADS, ours(line("etl", "city", slow)), strict=True))
    assert (cells["held"], cells["ratio"]) == (("no", "bad"), ("2.00", "bad"))


def test_what_a_stage_waits_for_is_not_its_share() -> None:
    """The share of a stage that waits is not told, and its work is in what is left."""
    parse, insert, rest = stage_rows(MEASURED)
    assert (parse.share, insert.share, rest.share) == (0.25, None, 0.75)
    assert (insert.name, rest.microseconds) == ("insert (waits)", 150.0)


def test_what_a_reader_must_know_is_said() -> None:
    """Other programs, a load that is late, dead letters and messages without a result are told beside the figures."""
    disturbed = msgspec.structs.replace(
        MEASURED,
        cores={**MEASURED.cores, "others": spread([0.8])},
        lateness=spread([0.05]),
        rejected=7,
        strange=2,
    )
    said = "; ".join(remarks(line("etl", "city", notes=notes(disturbed), letters=["bad pack"])))
    assert re.search(r"other programs took 0\.8 cores.*50 ms late.*7 dead letters.*2 results.*0\.20%.*bad pack", said)
    assert notes(msgspec.structs.replace(MEASURED, silent=0.0)) == []


def test_how_results_come_is_said_where_there_are_none() -> None:
    """A time in which no window was filled is told, with what to do about it."""
    (said,) = notes(msgspec.structs.replace(MEASURED, silent=1.0, selectivity=0.0))
    assert said.startswith("no result came: measure longer (--seconds)")

"""docs/dataflows.md: its graphs and figures are those of the configs."""

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from riotd import config as cfg
from riotd import feeds
from riotd.cli.verbs import riotd

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/dataflows.md").read_text(encoding="utf-8")
FLOWS = ["etl", "stats", "train", "pred"]
SETS = ["city", "taxi", "fit", "grid"]
ROW = re.compile(r"^\| ([^|]+) \| (.+) \|$", re.MULTILINE)
ROWS = {head.strip(): [cell.strip() for cell in cells.split(" | ")] for head, cells in ROW.findall(TEXT)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with what is known about each data set's devices."""
    for dataset in feeds.ANNOTATIONS:
        lines = feeds.annotations(dataset, sensors=5)
        (tmp_path / f"{dataset}-annotations.txt").write_bytes(b"".join(lines))
    monkeypatch.chdir(tmp_path)


def _params(flow: str, dataset: str) -> dict[str, dict[str, Any]]:
    config = cfg.load(ROOT / f"config/{flow}.yaml", overlays=[dataset])
    return {stage.id: stage.params for stage in config.stages}


@pytest.mark.parametrize("flow", FLOWS)
def test_graphs_are_those_of_riotd_graph(flow: str) -> None:
    """Each section shows what `riotd graph` draws of the file, but for the tasks' parameters."""
    section = TEXT.partition(f"## {flow.upper()}\n")[2]
    shown = re.search(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    drawn = CliRunner().invoke(riotd, ["graph", str(ROOT / f"config/{flow}.yaml")]).output
    bare = [re.sub(r"^(.*?  \w+)\(.*$", r"\1", line).rstrip() for line in drawn.splitlines()]
    assert shown is not None
    assert shown[1].splitlines() == bare


def test_windows_are_those_of_stats() -> None:
    """What the table says of charts and forecasts is what the configs have, data set by data set."""
    for index, dataset in enumerate(SETS):
        params = _params("stats", dataset)
        assert int(ROWS["records in a chart"][index].replace(",", "")) == params["series"]["window"]
        assert int(ROWS["charts in a zip"][index]) == params["zip"]["count"]
        asked, window, steps = ROWS["forecast, window, steps"][index].split(", ")
        assert (int(window), int(steps)) == (params["forecast"]["window"], params["forecast"]["horizon"])
        assert str(len(params["forecast"]["fields"])) in asked or asked == "energy"
        assert ROWS["average, window"][index].endswith(f", {params['average']['window']}")


def test_what_a_data_set_does_not_have_is_not_there() -> None:
    """Where the table says that there is none, the config has no such stage."""
    stages = {dataset: _params("etl", dataset) | _params("stats", dataset) for dataset in SETS}
    for head, stage in (
        ("Bloom filter of ids", "bloom"),
        ("interpolation, window", "interpolate"),
        ("distinct sensors by", "distinct"),
    ):
        said = [not cell.startswith("none") for cell in ROWS[head]]
        assert said == [stage in stages[dataset] for dataset in SETS]


def test_links_lead_somewhere() -> None:
    """Each link within the repository is to a file, and to a heading of it."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        page = (ROOT / "docs" / path).read_text(encoding="utf-8")
        headings = {
            re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-")
            for line in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
        }
        assert not anchor or anchor in headings, target

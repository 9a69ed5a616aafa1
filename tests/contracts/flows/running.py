"""The dataflows of config/ over a file instead of a broker: the daemon's own parts, from source to sinks."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from riotd import config as cfg
from riotd import feeds, wiring
from riotd.feeds import Dataset
from riotd.notify import Notifier
from riotd.supervisor import DONE, Supervisor

REPOSITORY = Path(__file__).resolve().parents[3]
CONFIG = REPOSITORY / "config"
SAMPLES = REPOSITORY.parent / "shared" / "riotbench-data"
IDS = {"city": "source", "taxi": "taxi_identifier", "fit": "subjectId", "grid": "meterid"}
"""Entry of a pack in RIoTBench's form that says whose it is."""
_SAMPLES: dict[Dataset, tuple[str, str]] = {
    "city": ("SYS_sample_data_senml.csv", "city-metadata.txt"),
    "taxi": ("TAXI_sample_data_senml.csv", "taxi-metadata-fulldataset.txt"),
    "fit": ("FIT_sample_data_senml.csv", "mhealth_annotation_mapping.csv"),
}


FEEDS = [("sample", "city"), ("sample", "taxi"), ("sample", "fit"), *(("generated", dataset) for dataset in IDS)]
ON_RAY = [("sample", "city"), ("generated", "taxi")]
"""Seconds each: what an engine does is its own contract's; here the two kinds of keys in the dataflows count."""
CASES = [
    *((feed, ("inline", shards)) for feed in FEEDS for shards in (1, 8)),
    *(pytest.param((feed, ("ray", 2)), marks=pytest.mark.ray) for feed in ON_RAY),
]
"""Parameters for the fixture `case`."""


def cases(*, of: str = "", without: str = "-") -> pytest.MarkDecorator:
    """Run a test with each case whose name has the one, and not the other."""
    wanted = [each for each in CASES if of in str(each) and without not in str(each)]
    return pytest.mark.parametrize("case", wanted, indirect=True, ids=_called)


def _called(case: Any) -> str:
    (kind, dataset), (engine, shards) = case
    return f"{kind}-{dataset}-{engine}-{shards}"


class Feed(NamedTuple):
    """Messages of a data set, with what is known of its devices.

    Attributes:
        dataset: whose.
        lines: `<epoch ms>,<draft SenML>`.
        annotations: `id:value,value`.
    """

    dataset: Dataset
    lines: list[bytes]
    annotations: list[str]

    @property
    def known(self) -> dict[str, list[str]]:
        """Annotations by device."""
        return {who: values.split(",") for who, _, values in (line.partition(":") for line in self.annotations)}


def sample(dataset: Dataset) -> Feed:
    """RIoTBench's own messages and annotations; skips the test where they are not."""
    if not SAMPLES.exists():
        pytest.skip("RIoTBench's sample data are not here")
    messages, known = (SAMPLES / name for name in _SAMPLES[dataset])
    return Feed(dataset, messages.read_bytes().splitlines(), known.read_text().splitlines())


def generated(dataset: Dataset, count: int, sensors: int = 7) -> Feed:
    """Generated messages with outliers and gaps, of two devices more than are known."""
    made = getattr(feeds, dataset)(
        sensors=sensors + 2, messages=count, outliers=0.1, gaps=0.05, seed=4, form="riotbench"
    )
    lines = [b"%d,%b" % (due * 1000, pack) for due, pack in made]
    known = [line.decode().rstrip("\n") for line in feeds.annotations(dataset, sensors=sensors)]
    return Feed(dataset, lines, known)


class Case(NamedTuple):
    """A feed, and where the dataflow runs."""

    feed: Feed
    engine: dict[str, Any]


class Ran(NamedTuple):
    """What a run left.

    Attributes:
        results: of each sink, in its order.
        rejects: dead letters.
        folder: the working directory, with tables and blobs.
        stages: statistics by the stages' ids.
    """

    results: dict[str, list[dict[str, Any]]]
    rejects: list[dict[str, Any]]
    folder: Path
    stages: dict[str, dict[str, Any]]


def run(
    flow: str,
    feed: Feed,
    *,
    engine: str = "inline",
    shards: int = 1,
    sinks: Sequence[str],
    overlay: dict[str, Any] | None = None,
    settings: Iterable[str] = (),
) -> Ran:
    """Run a dataflow of config/ over a feed in the working directory, until all is settled.

    Args:
        flow: etl, stats, train or pred.
        feed: what it gets; TRAIN gets the rows of `ticks.csv`, a timer file in the working directory.
        engine: inline or ray.
        shards: how many.
        sinks: stages whose records are wanted; each has a file.
        overlay: what is otherwise in this test.
        settings: more of `--set`.
    """
    folder = Path.cwd()
    (folder / f"{feed.dataset}-annotations.txt").write_text("".join(f"{line}\n" for line in feed.annotations))
    (folder / "feed.csv").write_bytes(b"".join(b"%b\n" % line for line in feed.lines))
    files = {name: {"type": "file", "path": f"{name}.jsonl", "from": [name], "format": "json"} for name in sinks}
    over = {
        "engine": {"type": engine, "shards": shards},
        "rejects": {"type": "file", "path": "rejects.jsonl"},
        **(overlay or {}),
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(over))
    every = [*_inputs(flow, feed), f"sinks={json.dumps(files)}", *settings]
    layers = [feed.dataset, str(folder / "test.yaml")]
    config = cfg.load(CONFIG / f"{flow}.yaml", every, overlays=layers)
    service = wiring.build(config, path=[str(REPOSITORY)])
    supervisor = Supervisor(service, reload=lambda: config, notifier=Notifier.from_environment())
    assert asyncio.run(supervisor.run()) == DONE
    stages = {each["id"]: each for each in service.report()["stages"]}
    return Ran({name: _read(f"{name}.jsonl") for name in sinks}, _read("rejects.jsonl"), folder, stages)


def _inputs(flow: str, feed: Feed) -> list[str]:
    """Settings that have files in the place of a broker and of time."""
    messages = {"type": "file", "path": "feed.csv", "format": "riotbench"}
    key = {"field": IDS[feed.dataset]}
    if flow == "train":
        timer = {"type": "timer", "file": "ticks.csv", "speed": 1e6, "key": {"topic_level": 1}}
        return [f"sources={json.dumps({feed.dataset: timer})}"]
    if flow == "pred":
        Path("notices").touch()  # none: what they change is told elsewhere
        models = {"type": "file", "path": "notices", "key": "every"}
        return [f"sources={json.dumps({'feed': {**messages, 'key': key}, 'models': models})}"]
    return [f"source={json.dumps(messages)}", f"key={json.dumps(key)}"]


def _read(path: str) -> list[dict[str, Any]]:
    file = Path(path)
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def by_source(results: Iterable[dict[str, Any]]) -> dict[str, list[tuple[float, dict[str, Any]]]]:
    """Time and values of results, by device, each device's in order."""
    found: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for result in results:
        found.setdefault(result["source"], []).append((result["time"], result["values"]))
    return found

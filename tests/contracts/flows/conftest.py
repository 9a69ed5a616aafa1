"""Where the dataflows run in these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from riot_tasks.stores import blobs, tables
from tests.contracts.flows.running import Case, generated, sample


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Real samples and generated messages, inline and on Ray, in a working directory of its own."""
    (kind, dataset), (engine, shards) = request.param
    feed = sample(dataset) if kind == "sample" else generated(dataset, 300)
    monkeypatch.chdir(tmp_path)
    if engine == "ray":
        request.getfixturevalue("ray_pool")
    yield Case(feed, {"engine": engine, "shards": shards})
    tables.close_all()  # a process knows them by their URLs, relative to this working directory
    blobs.close_all()

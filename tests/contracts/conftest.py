"""The engines under contract, and the one Ray of the session."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec

import pytest

from riotd.dataflow import Plan
from riotd.engines.cluster import Cluster
from riotd.engines.inline import InlineEngine
from riotd.engines.ray_actors import RayEngine
from riotd.ports import Engine

MakeEngine = Callable[[Plan, int], AbstractAsyncContextManager[Engine]]


@pytest.fixture(scope="session")
def ray_pool() -> Iterator[str]:
    """Address of a local Ray, started when the first test asks for it; engines of this process use it as it is."""
    if find_spec("ray") is None:
        pytest.skip("ray is not installed")
    cluster = Cluster(None, shards=2)
    asyncio.run(cluster.start(lambda: None))
    import ray  # noqa: PLC0415 - reads its environment when imported, which `Cluster` sets

    yield ray.get_runtime_context().gcs_address
    asyncio.run(cluster.stop())


@pytest.fixture(params=["inline", pytest.param("ray", marks=pytest.mark.ray)])
def make_engine(request: pytest.FixtureRequest) -> MakeEngine:
    """Either engine, as wiring would make it."""
    if request.param == "inline":
        return lambda plan, shards: InlineEngine(plan, shards=shards)
    request.getfixturevalue("ray_pool")
    return lambda plan, shards: RayEngine(plan, shards=shards)

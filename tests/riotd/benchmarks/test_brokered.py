import asyncio
from pathlib import Path

import pytest

from riotd.benchmarks.broker import mosquitto, private_broker
from riotd.benchmarks.brokered import TASKS, measure
from riotd.benchmarks.measuring import Setting
from riotd.clock import SystemClock
from riotd.engines.inline import InlineEngine
from riotd.mqtt import Loop


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.skipif(mosquitto() is None, reason="mosquitto is not installed")
def test_a_broker_s_task_is_measured_at_one(task: str, tmp_path: Path) -> None:
    """Publishing and subscribing are measured at a real broker, at some rate and without dead letters."""

    async def measured() -> float:
        setting = Setting(lambda plan, shards: InlineEngine(plan, shards=shards), warm_up=0.05, seconds=0.3)
        async with private_broker(str(mosquitto()), tmp_path) as url:
            figures = await measure(task, setting, SystemClock(), url=url, folder=tmp_path)
        assert figures.rejected == 0
        return figures.rate

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(measured()) > 0

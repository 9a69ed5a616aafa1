import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from riotd import shipped
from tests.riotd.brokers import MOSQUITTO

pytestmark = [
    pytest.mark.skipif(MOSQUITTO is None, reason="the embedded broker is too slow for four"),
    pytest.mark.timeout(240),
]


class Demo:
    """`riotd demo --full` in a process of its own, with its output read as it comes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, *words: str) -> None:
        """Read on until a line has all of these words."""
        while not (self.lines and all(word in self.lines[-1] for word in words)):
            assert self.process.stdout is not None
            line = await self.process.stdout.readline()
            assert line, "\n".join(self.lines)
            self.lines.append(line.decode().rstrip())

    async def rest(self) -> list[str]:
        """Read to the end."""
        assert self.process.stdout is not None
        return (await self.process.stdout.read()).decode().splitlines()

    def flow(self, name: str) -> psutil.Process:
        """The process of one of the four."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if any(part.endswith(f"/{name}.yaml") for part in child.cmdline()))


@asynccontextmanager
async def demo(folder: Path, *options: str) -> AsyncIterator[Demo]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "riotd", "demo", "--full", "--rate", "100", "--folder", str(folder), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"COLUMNS": "200"},
    )
    try:
        yield Demo(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_loop_closes(tmp_path: Path) -> None:
    """TRAIN learns from ETL's table, PRED takes over model after model, and Ctrl-C drains all four without a loss."""
    pytest.importorskip("sklearn")
    async with demo(tmp_path, "--train-every", "4s") as life:
        await life.until("PRED's results are made with", "city-MLR-", "instead of city-MLR-")
        life.process.send_signal(signal.SIGINT)
        ledgers = await life.rest()
        assert await life.process.wait() == 0
    for flow in shipped.FLOWS:
        (said,) = [line for line in ledgers if line.startswith(f"{flow} ")]
        assert "exit 0" in said
        assert said.endswith("in flight 0")
    assert any("PRED: taken city-MLR-" in line for line in life.lines)
    assert list((tmp_path / "city-models").rglob("city-MLR-*.json"))
    assert (tmp_path / "city.db").stat().st_size > 0


async def test_one_of_the_four_dies(tmp_path: Path) -> None:
    """When one of the four dies, the others drain, the demo says which it was and what it said last, and fails."""
    async with demo(tmp_path, "--train-every", "1h") as life:
        await life.until("rows in the table")
        life.flow("pred").kill()
        ledgers = await life.rest()
        assert await life.process.wait() == 1
    assert ledgers[-1] == "pred ended with -9 before it was told to"
    assert any("city-pred is running" in line for line in ledgers)
    assert [line.split()[:3] for line in ledgers if line.startswith(("etl", "stats"))] == [
        ["etl", "exit", "0"],
        ["stats", "exit", "0"],
    ]

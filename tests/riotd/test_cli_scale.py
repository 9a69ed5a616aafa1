"""`riotd scale`: what a person and a program get of it, and what is refused."""

import asyncio
import io
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from rich.console import Console

from riotd import wiring
from riotd.cli.status_view import Picture
from riotd.cli.verbs import riotd
from riotd.config import load
from riotd.control import RefusedError, own_place
from riotd.engines.inline import InlineEngine
from riotd.errors import EngineError
from riotd.notify import Notifier
from riotd.supervisor import Supervisor


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file that a daemon follows, whose state is kept."""
    (tmp_path / "in.jsonl").write_bytes(b'[{"bn":"dev1","n":"temperature","v":1}]\n')
    document = {
        "name": "grown",
        "source": {"type": "file", "path": str(tmp_path / "in.jsonl"), "follow": True},
        "stages": [{"id": "parse", "task": "senml_parse"}, {"task": "average", "params": {"window": 2}}],
        "sinks": {"out": {"type": "file", "path": str(tmp_path / "out.jsonl")}},
        "engine": {"shards": 2},
        "state": {"path": str(tmp_path / "state")},
        "max_in_flight": "1MB",
    }
    path = tmp_path / "riotd.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@asynccontextmanager
async def running(config: Path, *settings: str) -> AsyncIterator[wiring.Service]:
    """A daemon that is ready; it drains at the end, as by SIGTERM."""
    service = wiring.build(load(config, settings))
    supervisor = Supervisor(service, reload=lambda: service.config, notifier=Notifier())
    life = asyncio.create_task(supervisor.run())
    await supervisor.ready.wait()
    yield service
    os.kill(os.getpid(), signal.SIGTERM)
    assert await life == 0


async def scale(*words: str | Path) -> Result:
    """`riotd scale` from another thread, as another process would ask."""
    return await asyncio.to_thread(CliRunner().invoke, riotd, ["scale", *map(str, words)])


async def test_it_says_what_has_moved(config: Path) -> None:
    """In words, or as JSON; without a number how many there are; as many as there are is no error."""
    async with running(config) as service:
        words, again, as_json, looked = [await scale(config, *more) for more in (("3",), ("3",), ("1", "--json"), ())]
        assert service.report(look=True)["scaling"]["phase"] == "done"
        assert service.engine.shards == len(service.report(look=True)["shards"]) == 1
    assert words.output.startswith("grown: 2 shards became 3: 42 key-groups moved in ")
    assert again.output == "grown: there are 3 shards already\n"
    report = json.loads(as_json.stdout)
    assert (report["from"], report["to"], report["phase"], report["moved"]) == (3, 1, "done", 85)
    assert looked.output.startswith("grown: 3 shards became 1: 85 ")
    assert [done.exit_code for done in (words, again, as_json, looked)] == [0] * 4


async def test_who_is_ready_answers(config: Path) -> None:
    """The control socket is there when the daemon says that it is ready, not some time later."""
    async with running(config):
        assert own_place("grown").exists()


async def test_a_number_that_cannot_be_run_is_refused(config: Path) -> None:
    """What the config can't bear is said with its remedy, exit 2; no number of shards is wrong usage."""
    async with running(config):
        too_many, none = await scale(config, "20"), await scale(config, "0")
    assert too_many.exit_code == none.exit_code == 2
    assert too_many.output.startswith("grown: max_in_flight: must be at least 1.8MB")


async def test_another_number_on_the_way_is_refused(config: Path) -> None:
    """While one change goes on another is refused with how far it is; the same number again is the same change."""
    async with running(config) as service:
        first = await service.orders.scale({"shards": 4})
        with pytest.raises(RefusedError, match="on the way from 2 shards to 4, 0 of 64 key-groups"):
            await service.orders.scale({"shards": 3})
        same = await service.orders.scale({"shards": 4})
    assert same["seconds"] >= first["seconds"]
    assert same["to"] == 4


async def test_workers_that_cannot_be_had_leave_it_as_it_was(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that can't have so many: exit 1 and why; it is in `riotd status`; the daemon goes on."""

    async def refuse(_engine: InlineEngine, _shards: int) -> None:
        raise EngineError("no room for another worker")

    async with running(config) as service:
        with monkeypatch.context() as patched:
            patched.setattr(InlineEngine, "resize", refuse)
            done = await scale(config, "3")
        picture = Picture().of({"name": "grown", "phase": "running", **_about(service)})
        assert (await scale(config, "3")).exit_code == 0
    assert (done.exit_code, done.output) == (1, "grown: it stays at 2 shards: no room for another worker\n")
    shown = io.StringIO()
    console = Console(width=120, file=shown)
    console.print(picture)
    assert "2 → 3 shards: failed, 0 of 42 key-groups have moved: no room" in shown.getvalue()


def _about(service: wiring.Service) -> dict[str, Any]:
    return {"pid": 1, "version": "1", "file": "", "report": service.report(look=True)}


async def test_nobody_there(config: Path) -> None:
    """A daemon that does not run: exit 1, and where it was looked for."""
    done = await scale(config, "3")
    assert done.exit_code == 1
    assert done.output.startswith("grown is not running: nobody listens at ")


async def test_the_number_is_kept_until_the_config_asks_for_another(config: Path) -> None:
    """A restart goes on with what was reached; another engine.shards counts from then on, and for good."""
    async with running(config):
        assert (await scale(config, "5")).exit_code == 0
    seen = []
    for settings in ((), ("engine.shards=3",), ()):
        async with running(config, *settings) as service:
            seen.append((service.engine.shards, service.pump.placement.shards))
    assert seen == [(5, 5), (3, 3), (2, 2)]

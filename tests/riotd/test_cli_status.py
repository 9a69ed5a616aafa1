"""`riotd status`: a daemon that runs, one that does not, and one whose books are not closed."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from rich.console import Console

from riotd import wiring
from riotd.cli.status_view import Picture
from riotd.cli.verbs import riotd
from riotd.config import load
from riotd.engines import inline
from riotd.notify import Notifier
from riotd.supervisor import Supervisor
from tests.riotd.test_books import Forgetful

LINES = [b'[{"bn":"dev%d","n":"temperature","v":%d}]\n' % (number % 2, number) for number in range(9)] + [b"no pack\n"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file that a daemon follows: nine packs, and a line that is none."""
    (tmp_path / "in.jsonl").write_bytes(b"".join(LINES))
    document = {
        "name": "looked-at",
        "source": {"type": "file", "path": str(tmp_path / "in.jsonl"), "follow": True},
        "stages": [{"id": "parse", "task": "senml_parse"}, {"task": "average", "params": {"window": 2}}],
        "sinks": {"out": {"type": "file", "path": str(tmp_path / "out.jsonl")}},
        "rejects": {"type": "file", "path": str(tmp_path / "rejects.jsonl")},
    }
    path = tmp_path / "riotd.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[Supervisor]:
    """A daemon that has settled all there is; it drains at the end, as by SIGTERM."""
    service = wiring.build(load(config))
    supervisor = Supervisor(service, reload=lambda: service.config, notifier=Notifier())
    life = asyncio.create_task(supervisor.run())
    await supervisor.ready.wait()
    async with asyncio.timeout(30):
        while service.pump.ledger.settled < len(LINES):  # noqa: ASYNC110 - only a test asks
            await asyncio.sleep(0.01)
    yield supervisor
    os.kill(os.getpid(), signal.SIGTERM)
    assert await life == 0


async def asked(*words: str | Path) -> Result:
    """`riotd status` from another thread, as another process would ask."""
    return await asyncio.to_thread(CliRunner().invoke, riotd, ["status", *map(str, words)])


def shown(answers: Sequence[dict[str, object]], *, colour: bool = False) -> str:
    """The last of the pictures of these answers, as a terminal has it."""
    picture, console = Picture(), Console(width=120, record=True, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115 - as long as the test
    pictures = [picture.of(answer) for answer in answers]
    console.print(pictures[-1])
    console.file.close()
    return console.export_text(styles=colour)


async def test_a_running_daemon_is_shown(config: Path) -> None:
    """By its file or by its name: the ledger by source and filter, the stages, the sinks; exit 0."""
    async with running(config):
        by_file, by_name = await asked(config), await asked("looked-at")
    for done in (by_file, by_name):
        assert done.exit_code == 0, done.output
        lines = [line.split() for line in done.output.splitlines()]
        assert ["source", str(config.with_name("in.jsonl")), "10", "0", "10", "0", "1", "0"] in lines
        assert ["parse", "10", "9", "0", "1", "9", "0", "0.0", "s"] in lines
        assert "looked-at  running" in done.output


async def test_what_a_program_reads(config: Path) -> None:
    """--json is one object in a line: who and how, and the statistics with the ledger."""
    async with running(config):
        done = await asked(config, "--json")
    answer = json.loads(done.stdout)
    assert (answer["name"], answer["phase"], answer["pid"]) == ("looked-at", "running", os.getpid())
    assert answer["report"]["ledger"]["received"] == answer["report"]["messages"]["received"] == 10
    assert answer["report"]["alarms"] == []


async def test_dead_letters_are_counted(config: Path) -> None:
    """Where letters are kept in a store, the statistics say how many were, and how many went to make room."""
    async with running(config):
        done = await asked(config, "--json")
    assert json.loads(done.stdout)["report"]["rejects"] == {"kept": 1, "dropped": 0, "retries": 0}


async def test_nobody_there(config: Path) -> None:
    """Exit 1 and a line that says where it was looked for; the daemon's socket goes with it."""
    async with running(config):
        pass
    done = await asked(config)
    assert done.exit_code == 1
    assert done.output.startswith("looked-at is not running: nobody listens at ")


async def test_books_that_are_not_closed(
    config: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An engine that loses the fate of records: exit 2, an alarm in red, and an error again when the daemon ends."""
    monkeypatch.setattr(inline, "InlineEngine", Forgetful)
    async with running(config):
        done, as_json = await asked(config), await asked(config, "--json")
    assert (done.exit_code, as_json.exit_code) == (2, 2)
    assert "ALARM" in done.output
    answer = json.loads(as_json.stdout)
    residue = answer["report"]["stages"][0]["residue"]
    assert residue > 0
    assert f"\x1b[1;37;41m{residue}\x1b[0m" in shown([answer], colour=True).replace(" ", "")
    assert [record for record in caplog.records if record.getMessage().startswith("at the end: stage parse: in 10 ≠")]
    assert all(record.levelno == logging.ERROR for record in caplog.records if "residue" in record.getMessage())


async def test_rates_of_watching_are_since_the_picture_before(config: Path) -> None:
    """Two answers a second apart show what came in between, whatever the daemon's own windows are."""
    async with running(config):
        first = json.loads((await asked(config, "--json")).stdout)
    second = json.loads(json.dumps(first))
    second["report"]["uptime_s"] = first["report"]["uptime_s"] + 2
    second["report"]["messages"]["received"] += 500
    line = next(line for line in shown([first, second]).splitlines() if line.startswith("per second"))
    assert "in 250 " in line
    assert "results 0 " in line


@pytest.mark.parametrize("words", [("--every", "soon"), ("--every", "1ms")])
async def test_a_pause_that_is_none(config: Path, words: tuple[str, str]) -> None:
    """A wrong interval is wrong usage, said by its option's name."""
    done = await asked(config, "--watch", *words)
    assert done.exit_code == 2
    assert "--every" in done.output


async def test_a_wrong_file(tmp_path: Path) -> None:
    """A configuration that is not there, or is wrong, is said as everywhere: exit 78."""
    done = await asked(tmp_path / "gone.yaml")
    assert done.exit_code == 78
    assert "gone.yaml" in done.output

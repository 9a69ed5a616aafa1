"""`riotd journal`: what is there, whether it is whole, and its repair."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from riotd.cli.verbs import riotd
from riotd.journal import Checkpoint, Checkpoints, Dispatch, Folder, Group, Log, Mark

FIRST = 1000


class Desk:
    """A configuration with a journal of six messages in two groups, the first of them settled; and the verb."""

    def __init__(self, folder: Path) -> None:
        self.state, self.file = folder / "state", folder / "c.yaml"
        config = {
            "name": "desk",
            "source": {"type": "mqtt", "url": "mqtt://127.0.0.1:1", "topics": ["in/+"], "qos": 1},
            "stages": [{"task": "senml_parse"}],
            "sinks": {"out": {"type": "file", "path": str(folder / "out.jsonl")}},
            "state": {"path": str(self.state)},
        }
        self.file.write_text(yaml.safe_dump(config))
        disk = Folder(self.state)
        disk.lock()
        log = Log(disk)
        log.open(start=FIRST)
        for wall in (1_700_000_000.0, 1_700_000_060.0):
            rows = [(0, "in/a", b'{"n":%d}' % (log.next + index), 0) for index in range(3)]
            log.append([Group(log.next, wall, rows)], sync=True)
            log.append([Dispatch(log.next - 3, 3, wall)], sync=True)
        log.append([Mark(FIRST + 3)], sync=True)
        Checkpoints(disk).save(Checkpoint(FIRST, 1_700_000_000.0, [b""]))
        disk.close()

    @property
    def segment(self) -> Path:
        """The journal's only file."""
        return self.state / f"{FIRST:020d}.journal"

    def damage(self) -> None:
        """Turn a bit of the first group."""
        data = bytearray(self.segment.read_bytes())
        data[30] ^= 1
        self.segment.write_bytes(data)

    def __call__(self, verb: str, *words: str) -> Result:
        """Run `riotd journal VERB CONFIG ...`."""
        return CliRunner().invoke(riotd, ["journal", verb, str(self.file), *words])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_ls_names_files_messages_and_snapshots(desk: Desk) -> None:
    """Each file has how many messages, which; each snapshot where it is; and where a start would begin."""
    shown = desk("ls").stdout
    assert f"{FIRST:020d}.journal" in shown
    assert "1000" in shown
    assert "1005" in shown
    assert "from 1000 on; results below 1003 are out" in shown
    assert json.loads(desk("ls", "--json").stdout)["segments"][0]["messages"] == 6


def test_show_gives_a_message_whole(desk: Desk) -> None:
    """A message is shown with its topic, and its bytes alone with --raw; one that is not there is exit 1."""
    assert "in/a" in desk("show", "1004").stdout
    assert desk("show", "1004", "--raw").stdout_bytes == b'{"n":1004}'
    missing = desk("show", "1006")
    assert (missing.exit_code, "there are 1000 to 1005" in missing.output) == (1, True)


def test_check_says_that_it_is_whole(desk: Desk) -> None:
    """A journal without damage is exit 0."""
    done = desk("check")
    assert (done.exit_code, done.stdout) == (0, "whole: 6 messages in 1 files, 1 snapshots\n")


def test_check_names_what_is_lost(desk: Desk) -> None:
    """A damaged one is exit 1, with file, bytes, messages, and how many of their results are out."""
    desk.damage()
    done = desk("check")
    assert done.exit_code == 1
    assert "bytes 0 to" in done.stdout
    assert "3 messages, 1000 to 1002: lost; the results of 3 are out, tasks go on without them" in done.stdout
    (damage,) = json.loads(desk("check", "--json").stdout)["damages"]
    assert (damage["lost"], damage["done_again_without"]) == (3, [1000, 1003])


def test_repair_only_says_what_it_would_do(desk: Desk) -> None:
    """Without --write nothing is changed."""
    desk.damage()
    before = {file.name: file.read_bytes() for file in desk.state.iterdir()}
    done = desk("repair")
    assert done.exit_code == 1
    assert "would be written" in done.stdout
    assert {file.name: file.read_bytes() for file in desk.state.iterdir()} == before


def test_repair_writes_and_keeps_the_damaged_file(desk: Desk) -> None:
    """With --write it is whole afterwards, and the damaged file is there too."""
    desk.damage()
    damaged = desk.segment.read_bytes()
    assert desk("repair", "--write").exit_code == 0
    assert desk("check").stdout.startswith("whole: 6 messages")
    assert desk.segment.with_name(f"{desk.segment.name}.damaged").read_bytes() == damaged


def test_repair_leaves_a_running_daemon_alone(desk: Desk) -> None:
    """While somebody has the folder, --write is refused."""
    desk.damage()
    owner = Folder(desk.state)
    owner.lock()
    done = desk("repair", "--write")
    owner.close()
    assert (done.exit_code, "is in use by process" in done.output) == (78, True)


def test_without_a_journal_there_is_nothing_to_look_into(desk: Desk) -> None:
    """A daemon that keeps nothing, or has not run, says so."""
    done = CliRunner().invoke(riotd, ["journal", "ls", str(desk.file), "--set", "ack=processed"])
    assert (done.exit_code, "keeps nothing" in done.output) == (1, True)

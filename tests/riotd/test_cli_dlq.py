"""`riotd dlq`: dead letters listed, shown, sent again."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import yaml
from click.testing import CliRunner, Result

from riotd.cli.letters_view import payload_lines
from riotd.cli.verbs import riotd
from riotd.letters import Store, read_letters
from riotd.messages import DeadLetter
from tests.riotd.brokers import Broker


def letter(number: int, **changes: Any) -> DeadLetter:
    members = {"stage": "parse", "reason": f"no JSON at byte {number}", "topic": "in/a", "payload": b'{"n":1}'}
    return DeadLetter(1_700_000_000.0 + number, id=number, **{**members, **changes})


class Desk:
    """A configuration, its store, and the verb."""

    def __init__(
        self, folder: Path, *, source: dict[str, Any] | None = None, rejects: dict[str, Any] | None = None
    ) -> None:
        self.path, self.file = folder / "r.jsonl", folder / "c.yaml"
        config = {
            "name": "desk",
            "source": source or {"type": "mqtt", "url": "mqtt://127.0.0.1:1", "topics": ["in/+"]},
            "stages": [{"task": "senml_parse"}],
            "sinks": {"out": {"type": "file", "path": str(folder / "out.jsonl")}},
            "rejects": rejects or {"type": "file", "path": str(self.path)},
        }
        self.file.write_text(yaml.safe_dump(config))
        self.store = Store(self.path, size=10**6, files=2)
        self.store.open()

    def __call__(self, verb: str, *words: str) -> Result:
        """Run `riotd dlq VERB CONFIG ...`."""
        return CliRunner().invoke(riotd, ["dlq", verb, str(self.file), *words])

    def json(self, verb: str, *words: str) -> list[dict[str, Any]]:
        """Its output with --json."""
        done = self(verb, *words, "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class TestLs:
    def test_kinds_come_first_then_the_newest(self, desk: Desk) -> None:
        """Reasons that differ in numbers only are counted together; a line of each letter has all but the payload."""
        desk.store.append([
            *(letter(number) for number in range(30)),
            letter(30, stage="range", reason="too hot: 57.5"),
        ])
        lines = desk("ls", "--limit", "2").stdout.splitlines()
        assert [re.split("  +", line) for line in lines[:3]] == [
            ["letters", "stage", "reason"],
            ["30", "parse", "no JSON at byte …"],
            ["1", "range", "too hot: …"],
        ]
        assert [re.split("  +", line)[0] for line in lines[4:7]] == ["letter", "30", "31"]
        assert re.split("  +", lines[6])[2:] == ["range", "in/a", "7B", "once", "no", "too hot: 57.5"]
        assert lines[7:] == ["the newest 2 of 31; --limit 0 shows all"]

    def test_can_be_narrowed(self, desk: Desk) -> None:
        """By stage and by age, for programs too."""
        now = 4_000_000_000.0
        desk.store.append([letter(1), letter(2, stage="range"), DeadLetter(now, "range", "r", 3, "in/b", b"\xff")])
        assert [each["letter"] for each in desk.json("ls", "--stage", "range")] == [2, 3]
        (late,) = desk.json("ls", "--since", "1h")
        assert late == {
            "letter": 3,
            "time": now,
            "stage": "range",
            "reason": "r",
            "id": 3,
            "topic": "in/b",
            "payload_b64": "/w==",
            "replayed": None,
        }
        assert "--since: 'soon' is not a duration" in desk("ls", "--since", "soon").stderr

    def test_nothing_is_said_in_words(self, desk: Desk) -> None:
        """An empty store is no mistake."""
        assert (desk("ls").stdout, desk("ls").exit_code) == ("no dead letters\n", 0)

    @pytest.mark.parametrize(
        ("rejects", "said"),
        [
            (
                {"type": "mqtt"},
                "Dead letters go to the topic riotd/desk/rejects, for whoever subscribes to it; rejects:",
            ),
            ({"type": "log"}, "Dead letters go to the log; rejects: {type: file, path: …} would keep them."),
        ],
    )
    def test_where_letters_go_elsewhere_it_says_so(self, tmp_path: Path, rejects: dict[str, Any], said: str) -> None:
        """A topic and a log keep none."""
        done = Desk(tmp_path, rejects=rejects)("ls")
        assert done.exit_code == 1
        assert said in done.stderr


class TestShow:
    def test_all_of_a_letter(self, desk: Desk) -> None:
        """JSON is indented; --raw gives the bytes alone."""
        desk.store.append([letter(1), letter(2, payload=b"\xff\x00")])
        text = desk("show", "1").stdout
        assert text.endswith('{\n  "n": 1\n}\n')
        for word in ("parse", "no JSON at byte 1", "in/a"):
            assert word in text
        assert "00000000  ff 00" in desk("show", "2").stdout
        assert desk("show", "2", "--raw").stdout_bytes == b"\xff\x00"

    def test_a_number_that_is_not_there(self, desk: Desk) -> None:
        """It says which there are."""
        assert "No dead letter 5; there is none." in desk("show", "5").stderr
        desk.store.append([letter(1), letter(2)])
        assert "No dead letter 5; there are 1 to 2." in desk("show", "5").stderr

    def test_text_cannot_play_with_the_terminal(self) -> None:
        """Control characters are escaped, in text and in JSON."""
        assert list(payload_lines(b"a\x1b[2Jb\n\tc")) == ["a\\x1b[2Jb", "\tc"]
        assert "\x1b" not in "".join(payload_lines(b'{"a":"\\u001b[2J"}'))


class TestReplay:
    async def test_sends_to_the_topic_and_notes_it(self, broker: Broker, tmp_path: Path) -> None:
        """Each goes as it came; --all leaves out what was sent already, a number does not."""
        desk = Desk(tmp_path, source={"type": "mqtt", "url": f"mqtt://127.0.0.1:{broker.port}", "topics": ["in/+"]})
        desk.store.append([
            letter(1, payload=b"one"),
            letter(2, topic="in/b", payload=b"\xff"),
            letter(3, stage="range"),
        ])
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.subscribe("in/#", qos=1)
            assert await _run(desk, "2") == {"sent": 1, "not_sent": []}
            assert await _run(desk, "--stage", "parse") == {"sent": 1, "not_sent": []}
            assert await _run(desk, "--all") == {"sent": 1, "not_sent": []}
            assert await _run(desk, "2") == {"sent": 1, "not_sent": []}
            heard = [await anext(client.messages) for _ in range(4)]
        assert [(each.topic.value, each.payload) for each in heard] == [
            ("in/b", b"\xff"),
            ("in/a", b"one"),
            ("in/a", b'{"n":1}'),
            ("in/b", b"\xff"),
        ]
        assert all(each.replayed is not None for each in read_letters(desk.path))

    def test_appends_to_a_followed_file(self, tmp_path: Path) -> None:
        """As a line at its end, with a time if the format has one."""
        feed = tmp_path / "feed.log"
        feed.write_bytes(b"old\n")
        source = {"type": "file", "path": str(tmp_path / "*.log"), "follow": True}
        for kind, expected in (
            ("lines", rb"old\n\{\"n\":1\}\n"),
            ("riotbench", rb"old\n\{\"n\":1\}\n\d{13},\{\"n\":1\}\n"),
        ):
            desk = Desk(tmp_path, source={**source, "format": kind})
            desk.store.append([letter(1, topic=str(feed))])
            assert desk.json("replay", "--all") == [{"sent": 1, "not_sent": []}]
            assert re.fullmatch(expected, feed.read_bytes())

    def test_says_what_cannot_be_sent(self, tmp_path: Path) -> None:
        """A file that is read once, a topic no source has, a message that is not known: exit code 1."""
        feed = tmp_path / "feed.log"
        feed.write_bytes(b"")
        desk = Desk(tmp_path, source={"type": "file", "path": str(feed)})
        desk.store.append([letter(1, topic=str(feed)), letter(2, topic="else"), letter(3, topic="", payload=b"")])
        done = desk("replay", "--all")
        assert done.exit_code == 1
        assert done.stdout.splitlines() == [
            "sent 0 dead letters again",
            f"not letter 1: {feed} is not followed: nobody would read what is appended to it",
            "not letter 2: no source takes in else",
            "not letter 3: its message is not known: it was refused when tasks were flushed",
        ]

    def test_without_a_broker_nothing_is_noted(self, desk: Desk) -> None:
        """It says which broker, and the letters can be sent later."""
        desk.store.append([letter(1)])
        done = desk("replay", "--all")
        assert done.exit_code == 1
        assert "mqtt://127.0.0.1:1: " in done.stderr
        assert [each.replayed for each in read_letters(desk.path)] == [None]

    @pytest.mark.parametrize("words", [(), ("1", "--all")])
    def test_which_must_be_said_once(self, desk: Desk, words: tuple[str, ...]) -> None:
        """Nothing is sent by mistake."""
        assert desk("replay", *words).exit_code == 2


async def _run(desk: Desk, *words: str) -> dict[str, Any]:
    (summary,) = await asyncio.to_thread(desk.json, "replay", *words)
    return summary

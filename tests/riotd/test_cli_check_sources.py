"""What `riotd check` and `riotd graph` show of several sources, keys of stages and exchanges."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from riotd.cli.verbs import riotd

TEXT = """\
name: city
sources:
  feed: {type: mqtt, url: "mqtt://localhost", topics: [sensors/+/senml], qos: 0, key: {topic_level: 1}}
  models: {type: mqtt, url: "mqtt://localhost", topics: [models], qos: 0, key: every}
  clock: {type: timer, every: 1m}
  old: {type: file, path: in.jsonl, key: {field: source}}
stages:
  - {id: parse, task: senml_parse, after: [feed, old]}
  - {id: window, task: window, params: {size: 1m, late: aside}, key: [source, name]}
  - {id: tardy, task: noop, after: [window/late]}
  - {id: count, task: distinct_count, after: [parse], params: {item: source}, key: name}
  - {id: taxis, task: average, after: [parse], key: {field: taxi}}
  - {id: all, task: average, key: one}
  - {id: notice, task: noop, after: [models, clock]}
engine: {shards: 3}
sinks:
  out: {type: mqtt, topic: a}
  late: {type: file, path: late.jsonl, from: [window/late]}
"""

Shown = Callable[..., str]


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Runs a verb on the file."""
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").touch()
    Path("f.yaml").write_text(TEXT, encoding="utf-8")

    def run(verb: str, *arguments: str) -> str:
        done = CliRunner().invoke(riotd, [verb, "f.yaml", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_check_shows_each_source_with_its_key(shown: Shown) -> None:
    """A line each, by name, and the groups that all of them are divided into."""
    lines = [" ".join(line.split()) for line in shown("check").splitlines()]
    assert lines[1:6] == [
        "sources feed mqtt://localhost sensors/+/senml QoS 0, MQTT 5, clean session key: level 1 of the topic",
        "models mqtt://localhost models QoS 0, MQTT 5, clean session key: every message goes to every shard",
        "clock every 1m key: none: all messages are of one device",
        "old in.jsonl, read to the end, lines key: field source of the payload",
        "key in 128 groups on 3 shards",
    ]


def test_check_shows_what_instances_are_kept_by_and_where_records_change_shards(shown: Shown) -> None:
    """Stages say in words what their key is; ⇄ marks those whose records come from other shards."""
    found = {line.split()[0]: line for line in shown("check").splitlines() if "←" in line or "⇄" in line}
    ends = {name: line.rpartition(", ")[2] for name, line in found.items()}
    assert ends["window"] == "an instance per device and field"
    assert ends["count"] == "an instance per field"
    assert ends["taxis"] == "an instance per value of taxi"
    assert ends["all"] == "one instance for all"
    assert [name for name, line in found.items() if "⇄" in line] == ["count", "taxis", "all", "exchange"]
    assert found["exchange"].endswith("⇄: for count, taxis, all records go to the shard of their key; 3 passes a batch")


def test_one_shard_has_no_exchange(shown: Shown) -> None:
    """Where all records are, none has to go elsewhere."""
    assert "⇄" not in shown("check", "--set", "engine.shards=1")
    assert "⇄" not in shown("graph", "--set", "engine.shards=1")


def test_timers_are_told_as_they_tick(shown: Shown) -> None:
    """Interval, cron and file in words."""
    Path("t.csv").write_text("1,1443033000,1422748800000,1422749800000\n", encoding="utf-8")
    for setting, said in [
        (
            "sources.clock={type: timer, every: 1h, align: true, window: 1d}",
            "every 1h of the clock, each for the last 1d",
        ),
        ("sources.clock={type: timer, cron: 0 3 * * *, timezone: UTC}", "at 0 3 * * *, UTC"),
        ("sources.clock={type: timer, file: t.csv, speed: 10}", "the rows of t.csv, 10 times as fast"),
    ]:
        assert said in shown("check", "--set", setting)


def _without_about(line: str) -> str:
    """The branches and the title of a line of a tree."""
    return re.sub(r"(\w)  .*", r"\1", line)


def test_graph_draws_a_tree_for_each_source(shown: Shown) -> None:
    """Edges say which output they are of, and by which key records change shards."""
    lines = shown("graph").splitlines()
    assert list(map(_without_about, lines)) == [
        "feed",
        "└─ parse",
        "   ├─ window",
        "   │  ├─ (late) tardy",
        "   │  │  └─ ▶ out",
        "   │  ├─ ▶ out",
        "   │  └─ (late) ▶ late",
        "   ├─ (⇄ name) count",
        "   │  └─ ▶ out",
        "   └─ (⇄ {field: taxi}) taxis",
        "      └─ (⇄ one) all",
        "         └─ ▶ out",
        "models",
        "└─ notice",
        "   └─ ▶ out",
        "clock",
        "└─ notice",
        "old",
        "└─ parse",
    ]  # fmt: skip


def test_graph_labels_edges_in_every_format(shown: Shown) -> None:
    """Mermaid, dot and SVG have sources, labels and all edges."""
    mermaid, dot, svg = (shown("graph", "--format", form) for form in ("mermaid", "dot", "svg"))
    assert (mermaid.count(" -->"), dot.count(" -> ")) == (15, 15)
    assert 'n4 -->|"⇄ name"| n7' in mermaid
    assert '"window" -> "tardy" [label="late"];' in dot
    assert '"source:clock" -> "notice";' in dot
    texts = [found.text for found in ET.fromstring(svg).findall("{http://www.w3.org/2000/svg}text")]
    assert texts == ["late", "⇄ name", "⇄ {field: taxi}", "⇄ one", "late"]


def test_all_messages_come_from_every_source(shown: Shown) -> None:
    """A stage with after: [] has an edge from each."""
    dot = shown("graph", "--format", "dot", "--set", "stages.notice.after=[]")
    assert [name for name in ("feed", "models", "clock", "old") if f'"source:{name}" -> "notice";' in dot] == [
        "feed",
        "models",
        "clock",
        "old",
    ]

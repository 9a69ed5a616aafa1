"""`riotd check` and `riotd graph`, as a user sees them."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from riotd import config
from riotd.cli.verbs import riotd

GOOD = """\
name: city
source: {type: mqtt, url: "mqtt://localhost:1883", topics: [sensors/+/senml]}
key: {topic_level: 1}
batch: {max_wait: 5ms}
stages:
  - {id: parse, task: senml_parse}
  - {id: range, task: range_filter, params: {ranges: {temperature: [-12.5, 43.1]}}}
  - {id: mean, task: average, params: {window: 10}}
  - {id: kal, task: KAL, after: [range]}
  - {id: both, task: noop, after: [mean, kal]}
engine: {type: ray, shards: 2}
sinks:
  results: {type: mqtt, topic: "results/{source}/<{stage}>", from: [both, kal]}
  archive: {type: file, path: a.jsonl}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with etl.yaml and a module of tasks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])  # --app-dir adds to it
    (tmp_path / "etl.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def _riotd(*arguments: str) -> Result:
    return CliRunner().invoke(riotd, arguments, prog_name="riotd")


@pytest.mark.usefixtures("folder")
def test_check_shows_what_would_run() -> None:
    """Every block of the file is in the plan, in words, and what is worth a warning is said last."""
    done = _riotd("check", "etl.yaml")
    assert done.exit_code == 0
    assert (
        done.stdout
        == """\
etl.yaml is right: city would run
  source    mqtt://localhost:1883  sensors/+/senml  QoS 1, MQTT 5, clean session, at most 8,192 ahead
  key       level 1 of the topic, in 128 groups on 2 shards
  batch     350 messages or 90kB a shard, after 5ms
  engine    ray, 2 actors in a local cluster of our own
  stages    parse  ← messages   senml_parse()                                        1:N, no state
            range  ← parse      range_filter(ranges={'temperature': [-12.5, 43.1]})  1:0/1, no state
            mean   ← range      average(window=10)                                   N:1, an instance per device
            kal    ← range      KAL()                                                1:1, an instance per device
            both   ← mean, kal  noop()                                               1:1, no state
  sinks     results  ← both, kal  results/{source}/<{stage}>  QoS 1, senml
            archive  ← both       a.jsonl, json
  rejects   the log
  stats     riotd/city/stats every 10s, riotd/city/status
  state     ~/.local/state/riotd/city  a journal of at most 1GB, a snapshot every 10s
  memory    270MB: packets 34MB, buffers 8.4MB, waiting 11MB, in flight 20MB, results 17MB, journal 29MB, \
snapshots 150MB; beside it Python
  limits    1,000,000 devices a stage and shard, 20s to stop
  reload    SIGHUP changes everything but name, source, sources, key, engine.type, engine.shards, engine.address, \
engine.deadline, engine.memory, \
stats.topic, stats.status, stats.connection, control, ack, state, memory, max_in_flight
  warning   source.session: QoS 1 with a clean session: what is sent while riotd is away is lost; \
session: persistent keeps it at the broker
"""
    )


@pytest.mark.usefixtures("folder")
def test_check_puts_files_clusters_and_a_regex_in_words() -> None:
    """The other kinds of source, key, engine, sink and rejects have their words, too."""
    Path("in.jsonl").touch()
    done = _riotd(
        "check",
        "etl.yaml",
        "--set=source={type: file, path: in.jsonl, format: riotbench}",
        "--set=key={field: source}",
        "--set=engine.address=head:6379",
        "--set=engine.idle=1h",
        "--set=sinks.results={type: mqtt, topic: a, connection: {url: 'mqtt://b'}, retain: true, from: [kal, both]}",
        "--set=rejects={type: file, path: r.jsonl}",
    )
    lines = done.stdout.splitlines()
    assert "  source    in.jsonl, read to the end, riotbench" in lines
    assert "  key       field source of the payload, in 128 groups on 2 shards" in lines
    assert "  engine    ray, 2 actors on the cluster at head:6379" in lines
    assert "  sinks     results  ← kal, both  mqtt://b  a  QoS 1, senml, retained" in lines
    assert "  rejects   r.jsonl" in lines
    assert "1,000,000 devices a stage and shard, dropped when idle for 1h" in done.stdout


@pytest.mark.usefixtures("folder")
def test_check_as_json_has_settings_plan_and_warnings() -> None:
    """One object for programs: the same whether the file is right or wrong."""
    done = _riotd("check", "etl.yaml", "--json", "--set", "grace=1m")
    report = json.loads(done.stdout)
    assert (done.exit_code, report["ok"], report["mistakes"]) == (0, True, [])
    assert report["settings"]["grace"] == 60.0
    assert [stage["id"] for stage in report["plan"]["stages"]] == ["parse", "range", "mean", "kal", "both"]
    assert [warning["where"] for warning in report["warnings"]] == ["source.session"]
    assert report["needs_restart"] == list(config.FIXED)
    assert report["memory"]["total"] == 256 * 2**20


@pytest.mark.usefixtures("folder")
def test_check_as_json_has_every_mistake() -> None:
    """Exit 78, and the mistakes with path, what and remedy apart."""
    done = _riotd("check", "etl.yaml", "--json", "--set", "engine.shards=0", "--set", "stages.kal.task=KOL")
    report = json.loads(done.stdout)
    assert (done.exit_code, report["ok"]) == (78, False)
    assert report["mistakes"] == [
        {
            "where": "--set: stages[3].task",
            "what": "there is no task 'KOL'; did you mean 'kalman_filter'?",
            "remedy": "",
        },
        {"where": "--set: engine.shards", "what": "must be at least 1 (is 0)", "remedy": ""},
    ]


def test_check_prints_the_schema_without_a_file() -> None:
    """The JSON schema is that of `config.schema`."""
    done = _riotd("check", "--schema")
    assert (done.exit_code, json.loads(done.stdout)) == (0, config.schema())


def test_check_finds_a_task_of_the_app_dir(folder: Path) -> None:
    """module:Class is looked for in --app-dir."""
    (folder / "src").mkdir()
    source = "from riot_tasks import Task\nclass Mine(Task):\n    def process(self, record): return (record,)\n"
    (folder / "src" / "mine_of_check.py").write_text(source, encoding="utf-8")
    override = ("--set", "stages.both.task=mine_of_check:Mine")
    assert "No module named 'mine_of_check'" in _riotd("check", "etl.yaml", *override).stderr
    assert "mine_of_check:Mine()" in _riotd("check", "etl.yaml", *override, "--app-dir", "src").stdout


@pytest.mark.usefixtures("folder")
def test_graph_draws_a_tree() -> None:
    """What takes from several is drawn once and named again."""
    assert (
        _riotd("graph", "etl.yaml").stdout
        == """\
mqtt  mqtt://localhost:1883  sensors/+/senml  QoS 1, MQTT 5, clean session, at most 8,192 ahead
└─ parse  senml_parse()
   └─ range  range_filter(ranges={'temperature': [-12.5, 43.1]})
      ├─ mean  average(window=10)
      │  └─ both  noop()
      │     ├─ ▶ results  results/{source}/<{stage}>  QoS 1, senml
      │     └─ ▶ archive  a.jsonl, json
      └─ kal  KAL()
         ├─ both  (above)
         └─ ▶ results  (above)
"""
    )


@pytest.mark.usefixtures("folder")
def test_graph_writes_mermaid_and_dot() -> None:
    """Both have every node and edge, with what would be markup escaped."""
    mermaid, dot = (_riotd("graph", "etl.yaml", "--format", form).stdout for form in ("mermaid", "dot"))
    assert (mermaid.count(" --> "), dot.count(" -> ")) == (9, 9)
    assert 'n6[/"results<br>results/{source}/#lt;{stage}#gt;  QoS 1, senml"/]' in mermaid
    assert '"sink:results" [shape=note, label="results\\nresults/{source}/<{stage}>  QoS 1, senml"];' in dot


@pytest.mark.usefixtures("folder")
def test_graph_writes_svg_that_fits_its_frame() -> None:
    """Well-formed, a box for each node and a path for each edge, and all of them inside."""
    root = ET.fromstring(_riotd("graph", "etl.yaml", "--format", "svg").stdout)
    boxes = [box.attrib for box in root.iter("{http://www.w3.org/2000/svg}rect")]
    paths = [path for path in root.findall("{http://www.w3.org/2000/svg}path") if "marker-end" in path.attrib]
    assert (len(boxes), len(paths)) == (8, 9)
    for box in boxes:
        assert 0 <= float(box["x"]) <= float(root.attrib["width"]) - float(box["width"])
        assert 0 <= float(box["y"]) <= float(root.attrib["height"]) - float(box["height"])
    assert len({(box["x"], box["y"]) for box in boxes}) == 8

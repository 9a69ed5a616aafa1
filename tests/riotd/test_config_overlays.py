"""Overlays: what `--with` lays over a file, and who is blamed for what."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from riotd import config
from riotd.cli.verbs import riotd
from riotd.errors import ConfigError

Load = Callable[..., config.Config]
Mistakes = Callable[..., list[str]]

BASE = """\
name: city-etl
source: {type: mqtt, url: "mqtt://localhost", topics: [city/+], password: {env: HOME}}
key: {topic_level: 1}
stages:
  - {task: senml_parse}
  - {id: range, task: range_filter, params: {ranges: {temperature: [0, 40], humidity: [0, 100]}}}
  - {id: mean, task: average, params: {fields: [temperature], window: 10}}
sinks:
  out: {type: mqtt, topic: "city/{source}"}
  old: {type: file, path: old.jsonl}
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads config/etl.yaml with config/taxi/etl.yaml laid over it, and others after it; the last one by path."""
    monkeypatch.chdir(tmp_path)
    Path("config/taxi").mkdir(parents=True)
    Path("config/etl.yaml").write_text(BASE, encoding="utf-8")

    def loaded(text: str, *overrides: str, more: str | None = None) -> config.Config:
        Path("config/taxi/etl.yaml").write_text(text, encoding="utf-8")
        if more is not None:
            Path("more.yaml").write_text(more, encoding="utf-8")
        names = ["taxi"] if more is None else ["taxi", "more.yaml"]
        return config.load("config/etl.yaml", overrides, overlays=names)

    return loaded


@pytest.fixture
def mistakes(load: Load) -> Mistakes:
    """Gives the lines of the ConfigError."""

    def said(text: str, *overrides: str, more: str | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, *overrides, more=more)
        return str(caught.value).splitlines()

    return said


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("", "grace=20s"),
        ("# nothing\n", "grace=20s"),
        ("name: taxi-etl\n", "name=taxi-etl"),
        ("source: {topics: [taxi/+]}\n", "source.topics=[taxi/+]"),
        ("source: {password: null}\n", "source.password=null"),
        ("source: {password: {file: more.yaml}}\n", "source.password={file: more.yaml}"),
        ("key: {field: taxi}\n", "key={field: taxi}"),
        ("batch: {max_records: 5}\n", "batch={max_records: 5}"),
        ("sinks: {old: {format: senml}}\n", "sinks.old.format=senml"),
        ("sinks: {old: {type: mqtt, topic: a}}\n", "sinks.old={type: mqtt, topic: a}"),
        ("sinks: {new: {type: file, path: n}}\n", "sinks.new={type: file, path: n}"),
        ("sinks: {old: null}\n", "sinks={out: {type: mqtt, topic: 'city/{source}'}}"),
        ("stages: {mean: {params: {fields: [fare]}}}\n", "stages.mean.params.fields=[fare]"),
        ("stages:\n  - {id: mean, params: {fields: [fare]}}\n", "stages.mean.params.fields=[fare]"),
        ("stages: {mean: {params: {fields: null}}}\n", "stages.mean.params={window: 10}"),
        ("stages: {senml_parse: {params: {explode: true}}}\n", "stages.0.params.explode=true"),
        ("stages: {mean: {key: [source, name]}}\n", "stages.mean.key=[source, name]"),
        ("stages: {mean: {task: noop}}\n", "stages.mean={id: mean, task: noop}"),
        (
            "stages: {range: {params: {ranges: {humidity: null}}}}\n",
            "stages.range.params.ranges={temperature: [0, 40]}",
        ),
    ],
)
def test_an_overlay_is_what_one_would_have_written(load: Load, text: str, override: str) -> None:
    """Mappings by key, stages by id, lists whole, null takes away; blocks of another type or task are new ones."""
    Path("more.yaml").touch()
    assert config.settings(load(text)) == config.settings(config.load("config/etl.yaml", [override]))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("stages: {range: null}\n", ["senml_parse", "mean"]),
        ("stages: [{id: range, task: null}]\n", ["senml_parse", "mean"]),
        ("stages: {x: {task: noop}, y: {task: noop}}\n", ["senml_parse", "range", "mean", "x", "y"]),
        ("stages: [{task: noop}]\n", ["senml_parse", "range", "mean", "noop"]),
        ("stages: {mean: null, x: {task: noop}}\n", ["senml_parse", "range", "x"]),
    ],
)
def test_stages_come_and_go_by_their_ids(load: Load, text: str, ids: list[str]) -> None:
    """New ones are behind the others, in the overlay's order; the rest stays where it is."""
    assert [stage.id for stage in load(text).stages] == ids


def test_a_later_overlay_has_the_word_over_an_earlier_and_settings_over_all(load: Load) -> None:
    """They are laid in the order they are named."""
    loaded = load("name: one\ngrace: 1s\nmax_in_flight: 1MB\n", "name=three", more="name: two\ngrace: 2s\n")
    assert (loaded.name, loaded.grace, loaded.max_in_flight) == ("three", 2.0, 10**6)
    assert (loaded.file, loaded.overlays) == ("config/etl.yaml", ("config/taxi/etl.yaml", "more.yaml"))


def test_the_files_stay_as_they_are(load: Load) -> None:
    """What was laid over a file is not in it the next time."""
    load("stages: {mean: {params: {fields: [fare]}}}\n")
    assert config.load("config/etl.yaml").stages[2].params["fields"] == ["temperature"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("naem: x\n", "config/taxi/etl.yaml: naem: there is no such key; did you mean 'name'?"),
        ("source: {qos: 7}\n", "config/taxi/etl.yaml: source.qos: must be 0, 1 or 2 (is 7)"),
        ("source: {url: null}\n", "config/taxi/etl.yaml: source.url: must be given"),
        ("stages: {mean: {params: {window: 0}}}\n", "config/taxi/etl.yaml: stages[2].params.window: must be a whole"),
        ("stages: {range: null, mean: {params: {window: 0}}}\n", "config/taxi/etl.yaml: stages[1].params.window: "),
        ("stages: {new: {task: nop}}\n", "config/taxi/etl.yaml: stages[3].task: there is no task 'nop'"),
        ("stages: {new: {task: noop, afer: []}}\n", "config/taxi/etl.yaml: stages[3].afer: there is no such key"),
        ("key: {topic_level: 9}\n", "config/taxi/etl.yaml: key.topic_level: must be below 2"),
        ("source: {topics: [a/b/c]}\nkey: {topic_level: 0}\nname: a b\n", "config/taxi/etl.yaml: name: may only have"),
        ("sinks: {new: {type: file}}\n", "config/taxi/etl.yaml: sinks.new.path: must be given"),
        ("stages: {men: {params: {}}}\n", "config/taxi/etl.yaml: stages.men: there is no stage 'men' to change; did"),
        ("stages: {men: null}\n", "config/taxi/etl.yaml: stages.men: there is no stage 'men' to take away; did"),
        ("stages: [{params: {}}]\n", "config/taxi/etl.yaml: stages: has a stage without an id; begin it with id:"),
        ("stages: 5\n", "config/taxi/etl.yaml: stages: must be a list (is 5)"),
        ("- a\n", "config/taxi/etl.yaml: must be a mapping (is a list)"),
        ("name: [a\n", "config/taxi/etl.yaml: line 2, column 1: is not YAML"),
        ("name: a\nname: b\n", "config/taxi/etl.yaml: line 2, column 1: 'name' is there twice; keep one"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_of_the_file_it_is_in(mistakes: Mistakes, text: str, said: str) -> None:
    """What an overlay says wrong is told with its path, at the key as it counts in the whole."""
    assert [line for line in mistakes(text) if line.startswith(said)], mistakes(text)


def test_each_mistake_has_its_own_file(mistakes: Mistakes) -> None:
    """The file, two overlays and --set, each for what it said last."""
    Path("config/etl.yaml").write_text(BASE + "grace: never\nmax_in_flight: 1\n", encoding="utf-8")
    text = "batch: {max_records: -1, max_bytes: -1}\nengine: {shards: 0, idle: -1}\nmax_in_flight: never\n"
    lines = mistakes(text, "engine.max_keys=0", more="batch: {max_bytes: -2}\nengine: {type: inline, idle: null}\n")
    assert sorted(line.partition(": ")[0] + ": " + line.split(": ")[1] for line in lines) == [
        "--set: engine.max_keys",
        "config/etl.yaml: grace",
        "config/taxi/etl.yaml: batch.max_records",
        "config/taxi/etl.yaml: engine.shards",
        "config/taxi/etl.yaml: max_in_flight",
        "more.yaml: batch.max_bytes",
    ]


@pytest.mark.parametrize("setting", ["stages=5", "stages=null", "stages=[5]", "stages={}"])
def test_a_setting_may_take_away_what_an_overlay_has_changed(mistakes: Mistakes, setting: str) -> None:
    """Then it is the setting that is wrong."""
    (line,) = mistakes("stages: {mean: {params: {window: 5}}}\n", setting)
    assert line.startswith(("--set: stages: must be", "--set: stages[0]: must be a mapping"))


def test_an_overlay_that_is_not_there_is_named_with_those_that_are(load: Load) -> None:
    """The nearest, or all there are; a path that leads nowhere is a file that can't be read."""
    load("")
    for name, said in [
        ("tax", "--with tax: there is no config/tax/etl.yaml; did you mean 'taxi'?"),
        ("grid", "--with grid: there is no config/grid/etl.yaml; there are taxi"),
        ("config/grid/etl.yaml", "config/grid/etl.yaml: cannot be read: No such file or directory"),
        ("grid.yaml", "grid.yaml: cannot be read: No such file or directory"),
    ]:
        with pytest.raises(ConfigError) as caught:
            config.load("config/etl.yaml", overlays=[name])
        assert str(caught.value).startswith(said)


def test_without_any_overlays_the_remedy_is_to_make_one(load: Load) -> None:
    """Where there are none, none are listed."""
    load("")
    Path("alone.yaml").write_text(BASE, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"there is no taxi/alone\.yaml; make it, or give the path of a YAML file"):
        config.load("alone.yaml", overlays=["taxi"])


def test_all_files_that_can_not_be_read_are_named_at_once(load: Load) -> None:
    """One mistake hides no other."""
    load("")
    with pytest.raises(ConfigError) as caught:
        config.load("config/etl.yaml", overlays=["grid", "nowhere.yaml"])
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["--with grid", "nowhere.yaml"]


def test_check_says_which_files_it_has_read(load: Load) -> None:
    """In words, and for programs."""
    load("name: taxi-etl\nstages: {mean: {params: {window: 3}}}\n")
    run = CliRunner().invoke
    shown = run(riotd, ["check", "config/etl.yaml", "--with", "taxi"])
    assert shown.stdout.startswith("config/etl.yaml with config/taxi/etl.yaml are right: taxi-etl would run\n")
    report = json.loads(run(riotd, ["check", "config/etl.yaml", "--with", "taxi", "--json"]).stdout)
    assert (report["file"], report["overlays"]) == ("config/etl.yaml", ["config/taxi/etl.yaml"])
    assert report["plan"]["stages"][2]["params"]["window"] == 3


def test_graph_draws_the_whole(load: Load) -> None:
    """A stage that an overlay takes away is not drawn."""
    load("stages: {range: null}\n")
    drawn = CliRunner().invoke(riotd, ["graph", "config/etl.yaml", "--with", "taxi"]).stdout
    assert "mean" in drawn
    assert "range" not in drawn

"""`key:` of stages, and outputs beside the main one, as the file says them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from riotd import config
from riotd.errors import ConfigError

Load = Callable[..., config.Config]

GOOD = """\
name: city
source: {type: mqtt, url: "mqtt://localhost", topics: [sensors/+/senml]}
key: {topic_level: 1}
stages:
  - {id: parse, task: senml_parse}
  - {id: window, task: "forking:Fork"}
  - {id: count, task: noop, after: [window]}
  - {id: tardy, task: noop, after: [window/late]}
engine: {shards: 3}
sinks:
  a: {type: file, path: a.jsonl}
  b: {type: file, path: b.jsonl, from: [window/late, window/spare, count]}
"""
FORK = """\
from riot_tasks import Task
class Fork(Task):
    asides = ("late", "spare")
    def process(self, record):
        return (record,)
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a text as a file, beside a task with outputs of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "forking", raising=False)
    Path("forking.py").write_text(FORK, encoding="utf-8")

    def loaded(text: str, *overrides: str) -> config.Config:
        Path("f.yaml").write_text(text, encoding="utf-8")
        return config.load("f.yaml", overrides)

    return loaded


@pytest.fixture
def mistakes(load: Load) -> Callable[..., list[str]]:
    """Gives the lines of a file's ConfigError."""

    def said(*overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(GOOD, *overrides)
        return str(caught.value).splitlines()

    return said


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("null", ()),
        ("source", ("source",)),
        ("name", ("name",)),
        ("one", ("one",)),
        ("{field: x}", (".x",)),
        ("[source, name]", ("source", "name")),
        ("[{field: taxi id}, name]", (".taxi id", "name")),
    ],
)
def test_a_stage_s_key_reaches_the_plan_as_parts(load: Load, written: str, parts: tuple[str, ...]) -> None:
    """Words, a field and lists of both become the parts that shards know, with the number of shards."""
    plan = config.plan(load(GOOD, f"stages.count.key={written}"))
    assert [stage.key for stage in plan.stages] == [(), (), parts, ()]
    assert plan.shards == 3


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("sorce", "'sorce' is no part of a record's key; did you mean 'source'?"),
        (
            "energy",
            "'energy' is no part of a record's key; the value of a field is {field: energy}, parts are source, ",
        ),
        ("[]", "must have at least one part: source, name, one or {field: …}"),
        ("[source, name, source]", "'source' is there twice; keep one"),
        ("[{field: x}, {field: x}]", "{field: x} is there twice; keep one"),
        ("[source, one]", "'one' stands alone: with another part it says nothing; leave it out"),
        ("{topic_level: 1}", "must be a part of a record's key (is a mapping); parts are source, name, one and {field"),
        ("{field: 5}", "must be a part of a record's key (is a mapping)"),
        ("{field: ''}", "must be a part of a record's key (is a mapping)"),
        ("[[source]]", "must be a part of a record's key (is a list)"),
        ("5", "must be a part of a record's key (is 5)"),
    ],
)
def test_a_wrong_key_is_named_with_what_there_is(mistakes: Callable[..., list[str]], written: str, said: str) -> None:
    """Whatever is no key is one line at the stage's `key`, with the nearest word or all of them."""
    (line,) = mistakes(f"stages.count.key={written}")
    assert line.startswith(f"--set: stages[2].key: {said}")


def test_an_output_is_taken_from_like_a_stage(load: Load) -> None:
    """`<stage>/<output>` stands in `after:` and `from:`; the stage comes first, and its main output is an end still."""
    text = GOOD.replace("  - {id: count, task: noop, after: [window]}\n", "").replace(", count]", "]")
    plan = config.plan(load(text))
    assert [(stage.id, stage.after) for stage in plan.stages][1:] == [
        ("window", ("parse",)),
        ("tardy", ("window/late",)),
    ]
    assert [outlet.stages for outlet in plan.outlets] == [("window", "tardy"), ("window/late", "window/spare")]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "stages.tardy.after=[window/lat]",
            "stages[3].after: 'window' has no output 'lat'; did you mean 'late'?",
        ),
        ("stages.tardy.after=[windw/late]", "stages[3].after: there is no stage 'windw'; did you mean 'window'?"),
        (
            "stages.tardy.after=[parse/late]",
            "stages[3].after: 'parse' has no output 'late'; its task has but the main one: write 'parse'",
        ),
        ("stages.window.after=[tardy]", "stages: window → tardy → window is a cycle"),
        ("sinks.b.from=[window/x]", "sinks.b.from[0]: 'window' has no output 'x'; there are late, spare"),
    ],
)
def test_a_name_that_is_nobody_s_is_named_with_those_there_are(
    mistakes: Callable[..., list[str]], override: str, said: str
) -> None:
    """A wrong output, a wrong stage and a cycle over an output are a line each."""
    lines = [line.partition(": ")[2] for line in mistakes(override)]
    assert [line for line in lines if line.startswith(said)], lines


def test_the_settings_in_force_have_the_key(load: Load) -> None:
    """Printed and read again they are the same; a word alone and a list of it say the same."""
    loaded = load(GOOD, "stages.count.key=[source, {field: x}]")
    assert config.difference(load(config.settings_text(loaded)), loaded) == ([], [])
    one, other = load(GOOD, "stages.count.key=name"), load(GOOD, "stages.count.key=[name]")
    assert config.difference(one, other) == ([], [])


def test_a_changed_key_is_a_change_of_its_stage(load: Load) -> None:
    """It can be swapped live."""
    assert config.difference(load(GOOD), load(GOOD, "stages.count.key=one")) == (["stages.count.key"], [])


@pytest.mark.parametrize(
    ("key", "right"), [("name", True), (["source", {"field": "x"}], True), ("x", False), ([], False)]
)
def test_the_schema_knows_keys_of_stages(key: object, *, right: bool) -> None:
    """An editor accepts what the daemon does."""
    jsonschema = pytest.importorskip("jsonschema")
    data = yaml.safe_load(GOOD)
    data["stages"][2]["key"] = key
    validator = jsonschema.Draft202012Validator(config.schema())
    assert validator.is_valid(data) is right

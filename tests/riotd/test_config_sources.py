"""`sources:`, several by name, as the file says them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from riotd import config
from riotd.errors import ConfigError

Load = Callable[..., config.Config]
Mistakes = Callable[..., list[str]]

GOOD = """\
name: city
sources:
  feed: {type: mqtt, url: "mqtt://localhost", topics: [sensors/+/senml], session: persistent, key: {topic_level: 1}}
  models: {type: mqtt, url: "mqtt://other", topics: [models/#], session: persistent, key: every}
  old: {type: file, path: in.jsonl}
key: {field: source}
stages:
  - {id: parse, task: senml_parse, after: [feed, old]}
  - {id: notice, task: noop, after: [models]}
  - {id: all, task: noop, after: []}
sinks:
  out: {type: mqtt, topic: "results/{source}"}
"""
SINGLE = 'source: {type: mqtt, url: "mqtt://localhost", topics: [a]}\n'


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a text as a file, in a folder with in.jsonl."""
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").touch()

    def loaded(text: str, *overrides: str) -> config.Config:
        Path("f.yaml").write_text(text, encoding="utf-8")
        return config.load("f.yaml", overrides)

    return loaded


@pytest.fixture
def mistakes(load: Load) -> Mistakes:
    """Gives the lines of a file's ConfigError, without whose they are."""

    def said(text: str, *overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, *overrides)
        return [line.partition(": ")[2] for line in str(caught.value).splitlines()]

    return said


def test_the_plan_has_the_names_and_who_takes_from_them(load: Load) -> None:
    """Names are in the file's order; a stage takes from those it names, from all where it says []."""
    plan = config.plan(load(GOOD))
    assert plan.sources == ("feed", "models", "old")
    assert [(stage.id, stage.after) for stage in plan.stages] == [
        ("parse", ("feed", "old")),
        ("notice", ("models",)),
        ("all", ()),
    ]


def test_each_source_has_its_own_key_or_the_file_s(load: Load) -> None:
    """Its own is first, then the top-level one; `every` is a word or a key of the block."""
    keys = [(inlet.key.topic_level, inlet.key.field, inlet.every) for inlet in load(GOOD).inlets]
    assert keys == [(1, None, False), (None, None, True), (None, "source", False)]
    assert load(GOOD) == load(GOOD, "sources.models.key={every: true}")


def test_the_single_source_has_no_name(load: Load) -> None:
    """The old form is as it was: no names in the plan, the top-level key."""
    text = GOOD[: GOOD.index("sources:")] + SINGLE + GOOD[GOOD.index("key: {field") :]
    loaded = load(text, "stages=[{task: noop}]")
    assert [(inlet.name, inlet.where, inlet.key.field) for inlet in loaded.inlets] == [("", "source", "source")]
    assert config.plan(loaded).sources == ()


def test_the_first_broker_serves_whoever_names_none(load: Load) -> None:
    """Of several MQTT sources it is the first one's; of files alone there is none."""
    broker = load(GOOD).broker
    assert broker is not None
    assert broker.url == "mqtt://localhost"
    file = "sources={old: {type: file, path: in.jsonl}}"
    assert load(GOOD, file, "sinks.out={type: file, path: a}", "stages=[{task: noop}]").broker is None


def test_the_settings_in_force_are_a_config_again(load: Load) -> None:
    """Printed they have the form that the file has, and no trace of the other."""
    loaded = load(GOOD)
    assert "source" not in config.settings(loaded)
    assert config.difference(load(config.settings_text(loaded)), loaded) == ([], [])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sources.feed.topcs=[a]", "sources.feed.topcs: there is no such key; did you mean 'topics'?"),
        ("sources.feed.topics=[a+]", "sources.feed.topics[0]: + and # stand alone in a level, and # only in the last"),
        ("sources.feed.type=mqqt", "sources.feed.type: must be 'mqtt', 'file' or 'timer' (is 'mqqt')"),
        ("sources.feed=5", "sources.feed: must be a mapping (is 5)"),
        ("sources=[a]", "sources: must be a mapping (is a list)"),
        ("sources.feed.key.topic_level=3", "sources.feed.key.topic_level: must be below 3, for so many levels has"),
        ("sources.feed.key.topic_regex=(", "sources.feed.key: give at most one of topic_level, topic_regex, field"),
        ("sources.feed.key={topic_regex: '('}", "sources.feed.key.topic_regex: is no regular expression: missing )"),
        ("sources.feed.key=evry", "sources.feed.key: must be a mapping, or the word every (is 'evry')"),
        ("sources.feed.key.every=true", "sources.feed.key: every stands alone: each shard has all messages, whatever"),
        ("sources.feed.password=hunter2", "sources.feed.password: must be given by reference"),
        ("sources.feed.password={env: NO_SUCH}", "sources.feed.password: the environment has no NO_SUCH"),
        ("sources.old.path=nowhere", "sources.old.path: there is no nowhere; follow: true waits for it"),
        ("sources.old.key={topic_level: -1}", "sources.old.key.topic_level: must be at least 0 (is -1)"),
        ("sources.a b={type: file, path: in.jsonl}", "sources.a b: may only have letters, digits, '.', '_' and '-'"),
        ("sources.all={type: file, path: in.jsonl}", "sources.all: 'all' is also the id of stages[2]; rename one"),
        ("stages.parse.after=[fed]", "stages[0].after: there is no stage or source 'fed'; did you mean 'feed'?"),
        ("stages.parse.after=[feed/late]", "stages[0].after: 'feed' is a source, and has no outputs beside its"),
        ("sinks.out.from=[feed]", "sinks.out.from[0]: 'feed' is a source, no stage; put a stage with the task noop"),
        ("key.field=null", ""),
        ("source={type: file, path: in.jsonl}", "sources: there is a source: too; keep one of the two"),
        ("sources=null", "source: must be given; where messages come from; several, by name, are in sources:"),
        ("sources={}", "source: must be given"),
        ("source.key=every", "source.type: must be given, 'mqtt', 'file' or 'timer'"),
    ],
)
def test_a_mistake_is_named_by_the_source_s_name(load: Load, mistakes: Mistakes, override: str, said: str) -> None:
    """What is wrong with a source, its key, its name, or what is taken from it, is a line with its path."""
    if not said:
        assert load(GOOD, override)
        return
    assert [line for line in mistakes(GOOD, override) if line.startswith(said)], mistakes(GOOD, override)


def test_a_source_that_is_wrong_hides_no_other_mistake(mistakes: Mistakes) -> None:
    """The others are checked, and what takes from it is no mistake."""
    assert mistakes(GOOD, "sources.feed.qos=7", "sources.old.path=nowhere", "stages.all.task=nop") == [
        "sources.feed.qos: must be 0, 1 or 2 (is 7)",
        "sources.old.path: there is no nowhere; follow: true waits for it",
        "stages[2].task: there is no task 'nop'; did you mean 'noop'?",
    ]


def test_two_sources_can_not_be_one_client(mistakes: Mistakes) -> None:
    """The broker would end one connection for the other, for ever."""
    same = [f"sources.{name}.{key}" for name in ("feed", "models") for key in ("url=mqtt://b", "client_id=me")]
    (line,) = mistakes(GOOD, *same)
    assert line.startswith("sources.models.client_id: is also that of sources.feed: each connection would end the")


def test_what_may_be_ahead_of_the_acknowledgements_is_counted_together(load: Load, mistakes: Mistakes) -> None:
    """A batch must be able to fill from all sources; one without a limit is enough."""
    few = ["sources.feed.receive_maximum=100", "sources.models.receive_maximum=120"]
    assert load(GOOD, *few)
    other = "sources.old={type: mqtt, url: mqtt://c, topics: [a/b], receive_maximum: 9}"
    (line,) = mistakes(GOOD, *few, other)
    assert line.startswith("sources.models.receive_maximum: must be at least 350 of all sources together")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["stages.all.after=[parse]"], []),
        (
            ["stages.all.after=[parse]", "stages.notice.after=[feed]"],
            ["sources.models: no stage takes the messages of 'models': they come in for nothing; after: [models]"],
        ),
        (
            ["engine.shards=2", "sources.feed.key=null", "key=null"],
            [
                "sources.feed.key: is not given: all messages share one key, so one of the 2 shards does all the work",
                "sources.old.key: is not given",
            ],
        ),
        (["sources.models.session=clean"], ["sources.models.session: QoS 1 with a clean session"]),
        (["sinks.out.topic=sensors/{source}/senml"], ["sinks.out.topic: may match sensors/+/senml"]),
        (["sinks.out.topic=models/{source}"], []),
    ],
)
def test_warnings_are_by_source(load: Load, overrides: list[str], said: list[str]) -> None:
    """A source nobody takes from, one key for many shards, a session that forgets, a loop over its own broker."""
    found = [str(warning) for warning in config.warnings(load(GOOD, *overrides))]
    assert len(found) == len(said), found
    assert all(line.startswith(start) for line, start in zip(found, said, strict=True)), found


def test_sources_are_fixed_while_running(load: Load) -> None:
    """A changed source waits for a restart, and so does a name that is new."""
    more = "sources.more={type: file, path: in.jsonl}"
    live, fixed = config.difference(load(GOOD), load(GOOD, "sources.feed.qos=2", more, "grace=1s"))
    assert (live, fixed) == (["grace"], ["sources.feed.qos", "sources.more"])
    assert config.merged(load(GOOD), load(GOOD, more)).sources == load(GOOD).sources


def test_the_schema_has_both_forms(load: Load) -> None:
    """For an editor one of the two must be there, and not both; `every` is a key."""
    jsonschema = pytest.importorskip("jsonschema")
    load(GOOD)
    validator = jsonschema.Draft202012Validator(config.schema())
    several, single = yaml.safe_load(GOOD), yaml.safe_load(SINGLE)
    none = {key: value for key, value in several.items() if key != "sources"}
    assert [validator.is_valid(data) for data in (several, {**none, **single})] == [True, True]
    assert [validator.is_valid(data) for data in (none, {**several, **single})] == [False, False]


PREDICTING = """\
name: city
sources:
  feed: {type: file, path: in.jsonl, key: {field: source}}
  models: {type: mqtt, url: "mqtt://other", topics: [models/#], session: persistent, key: every}
stages:
  - {id: parse, task: senml_parse, after: [feed]}
  - {id: notice, task: notice_parse, after: [models]}
  - {id: fetch, task: blob_download, params: {store: "memory://models", into: model}}
  - {id: predict, task: linear_regression, after: [parse, fetch], params: {updates: model, features: [a]}}
sinks: {out: {type: file, path: out.jsonl}}
"""


@pytest.mark.parametrize(
    ("overrides", "culprit"),
    [
        (["stages.fetch.key=one"], "the key of 'fetch'"),
        (["stages.notice.key=name"], "the key of 'notice'"),
        (["stages.predict.key=name"], "its own key"),
        (["stages.predict.key=name", "engine={type: inline, shards: 4}"], "its own key"),
    ],
)
def test_a_model_that_one_shard_only_would_hear_of(mistakes: Mistakes, overrides: list[str], culprit: str) -> None:
    """An exchange between what is for every shard and who must hear it is a mistake, which says whose key it is."""
    (said,) = mistakes(PREDICTING, *overrides)
    assert said.startswith("stages[3].after: one shard only would hear what is for every shard: " + culprit)


@pytest.mark.parametrize("key", ["source", "one", "[source, {field: place}]"])
def test_a_model_that_all_hear_of(load: Load, key: str) -> None:
    """Without an exchange in the way, or where all goes to one shard, nothing is said."""
    assert load(PREDICTING, f"stages.predict.key={key}")

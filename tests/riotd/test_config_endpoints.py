"""`mqtt_subscribe` and `mqtt_publish` as stages: what the file becomes, and what is said of mistakes in them."""

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks.io.mqtt_publish import MqttPublish
from riot_tasks.io.mqtt_subscribe import MqttSubscribe
from riotd import config
from riotd.cli.verbs import riotd
from riotd.errors import ConfigError

Load = Callable[..., config.Config]
Mistakes = Callable[..., list[str]]

BARE = """\
name: city
stages:
  - {id: feed, task: mqtt_subscribe, params: {topics: [sensors/+/senml], url: "mqtt://localhost:1883"}}
  - {id: parse, task: senml_parse}
  - {id: out, task: mqtt_publish, params: {topic: "results/{source}"}}
"""
WRITTEN = """\
name: city
source: {type: mqtt, topics: [sensors/+/senml], url: "mqtt://localhost:1883"}
stages:
  - {id: parse, task: senml_parse}
sinks:
  out: {type: mqtt, topic: "results/{source}"}
"""
FROM_FILE = """\
name: x
source: {type: file, path: in.jsonl}
stages: [{id: out, task: mqtt_publish, params: {topic: out}}]
"""

PARAMETERS = [*signature(MqttPublish).parameters, *signature(MqttSubscribe).parameters]
WORDS = st.sampled_from([
    "mqtt://h",
    "a/b",
    "+/#",
    "json",
    "env",
    "file",
    "tls",
    "type",
    "from",
    "out",
    "MQS",
    "noop",
    "",
])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.integers(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a file's text, `f.yaml` being the file, with overrides."""
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").touch()

    def loaded(text: str, *overrides: str) -> config.Config:
        Path("f.yaml").write_text(text, encoding="utf-8")
        return config.load("f.yaml", overrides)

    return loaded


@pytest.fixture
def mistakes(load: Load) -> Mistakes:
    """Gives the lines of a file's ConfigError."""

    def said(text: str, *overrides: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, *overrides)
        return str(caught.value).splitlines()

    return said


def test_stages_alone_are_source_and_sink(load: Load) -> None:
    """With the two stages neither source: nor sinks: need be written, and they are what one would write."""
    bare, written = load(BARE), load(WRITTEN)
    assert bare.source == written.source
    assert bare.sinks["out"].model_copy(update={"stages": None}) == written.sinks["out"]
    plan = config.plan(bare)
    assert [(stage.id, stage.after) for stage in plan.stages] == [
        ("feed", ()),
        ("parse", ("feed",)),
        ("out", ("parse",)),
    ]
    assert [(outlet.sink, outlet.stages) for outlet in plan.outlets] == [("out", ("out",))]


def test_a_stage_in_the_middle_publishes_and_goes_on(load: Load) -> None:
    """Its sink takes its records, and so does the stage behind it."""
    loaded = load(BARE + "  - {id: mean, task: average}\n  - {id: end, task: MQP, params: {topic: m}}\n")
    assert [(outlet.sink, outlet.stages) for outlet in config.plan(loaded).outlets] == [
        ("out", ("out",)),
        ("end", ("end",)),
    ]
    assert config.plan(loaded).stages[3].after == ("out",)


def test_every_parameter_reaches_its_key(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Direct parameters and options become the keys of the source, of the sink and of its connection."""
    monkeypatch.setenv("MQTT_PASSWORD", "hunter2")
    data = {
        "name": "x",
        "stages": [
            {
                "task": "mqtt_subscribe",
                "params": {
                    "topics": ["a/+"],
                    "url": "mqtt://localhost",
                    "username": "me",
                    "password": {"env": "MQTT_PASSWORD"},
                    "qos": 2,
                    "session": "persistent",
                    "options": {"receive_maximum": 9000, "buffer": "4MiB", "retained": False},
                },
            },
            {
                "task": "mqtt_publish",
                "params": {
                    "topic": "b",
                    "url": "mqtts://other",
                    "username": "me",
                    "password": {"env": "MQTT_PASSWORD"},
                    "qos": 0,
                    "retain": True,
                    "format": "json",
                    "options": {"max_inflight": 7, "protocol": "3.1.1", "client_id": "gateway"},
                },
            },
        ],
    }
    loaded = load(yaml.safe_dump(data))
    source, sink = loaded.source, loaded.sinks["mqtt_publish"]
    assert isinstance(source, config.MqttSource)
    assert isinstance(sink, config.MqttSink)
    assert sink.connection is not None
    assert (source.username, source.qos, source.session) == ("me", 2, "persistent")
    assert (source.receive_maximum, source.buffer, source.retained) == (9000, 4 * 2**20, False)
    assert (sink.qos, sink.retain, sink.format, sink.max_inflight) == (0, True, "json", 7)
    assert (sink.connection.url, sink.connection.protocol) == ("mqtts://other", "3.1.1")
    assert (sink.connection.username, sink.connection.client_id) == ("me", "gateway")
    assert sink.connection.password == source.password == config.Secret(env="MQTT_PASSWORD")


@pytest.mark.parametrize(("task", "block"), [(MqttPublish, config.MqttSink), (MqttSubscribe, config.MqttSource)])
def test_defaults_are_those_of_the_block(task: type, block: type[config.Block]) -> None:
    """A parameter that is left out means the same as the key that is left out."""
    known = {field.alias or name: field for name, field in block.model_fields.items()}
    shared = {name: found for name, found in signature(task).parameters.items() if name in known}
    assert len(shared) >= 4
    for name, found in shared.items():
        assert known[name].is_required() == (found.default is found.empty)
        assert known[name].is_required() or known[name].default == found.default, name


@pytest.mark.parametrize("name", ["MQP", "MQTTPublish", "mqtt-publish", "riot_tasks.io.mqtt_publish:MqttPublish"])
def test_any_name_of_the_task_will_do(load: Load, name: str) -> None:
    """Codes, factory names and module:Class make the sink too."""
    assert list(load(BARE.replace("task: mqtt_publish", f'task: "{name}"')).sinks) == ["out"]


def test_several_subscriptions_are_several_sources(load: Load) -> None:
    """Each takes the messages of its own broker and no other's, beside those that the file names."""
    second = '  - {id: other, task: mqtt_subscribe, after: [], params: {topics: [b], url: "mqtt://other"}}\n'
    loaded = load(BARE + second + "sources: {notes: {type: file, path: in.jsonl}}\n")
    assert [inlet.name for inlet in loaded.inlets] == ["notes", "feed.in", "other.in"]
    assert loaded.sources["other.in"].url == "mqtt://other"
    after = {stage.id: stage.after for stage in config.plan(loaded).stages}
    assert after == {"feed": ("feed.in",), "parse": ("feed",), "out": ("parse",), "other": ("other.in",)}
    assert config.difference(load(config.settings_text(loaded)), loaded) == ([], [])


def test_of_several_subscriptions_each_has_its_own_mistakes(load: Load, mistakes: Mistakes) -> None:
    """What is wrong, or worth a warning, with one of them stands at its parameter; its key is the file's."""
    second = '  - {id: other, task: MQS, after: [], params: {topics: [b/+x], url: "mqtt://other"}}\n'
    (line,) = mistakes(BARE + second)
    assert line.startswith("f.yaml: stages[3].params.topics[0]: + and # stand alone")
    said = [warning.where for warning in config.warnings(load(BARE + second.replace("+x", "+"), "engine.shards=2"))]
    assert said == ["stages[0].params.session", "stages[3].params.session", "key", "stages[3]"]


def test_sinks_of_both_kinds_live_together(load: Load) -> None:
    """The file's own sinks stay, before those of the stages."""
    loaded = load(BARE + "sinks: {archive: {type: file, path: a.jsonl}}\n")
    assert [(outlet.sink, outlet.stages) for outlet in config.plan(loaded).outlets] == [
        ("archive", ("out",)),
        ("out", ("out",)),
    ]


def test_the_settings_in_force_are_a_config_again(load: Load) -> None:
    """Printed, they have stage and block both; read again, they are the same."""
    loaded = load(BARE)
    assert config.difference(load(config.settings_text(loaded)), loaded) == ([], [])


def test_check_shows_what_they_became(load: Load) -> None:
    """`riotd check` names the block of each stage, and shows source and sink like any other."""
    load(BARE)
    lines = CliRunner().invoke(riotd, ["check", "f.yaml"]).stdout.splitlines()
    assert (
        "  source    mqtt://localhost:1883  sensors/+/senml  QoS 1, MQTT 5, clean session, at most 8,192 ahead" in lines
    )
    assert "  sinks     out  ← out  results/{source}  QoS 1, senml" in lines
    assert [line.rpartition("  ")[2] for line in lines if "mqtt_" in line] == ["1:1, is source", "1:1, is sinks.out"]


def test_warnings_are_in_the_words_of_the_stage(load: Load) -> None:
    """What is said of source and sink names the stage's parameter."""
    loaded = load(BARE.replace("results/{source}", "sensors/{source}/senml").replace('}"}}', '}", qos: 0}}'))
    said = {warning.where for warning in config.warnings(loaded)}
    assert {"stages[0].params.session", "stages[2].params.topic"} <= said
    assert not [where for where in said if where.startswith(("source", "sinks"))]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("topic: ", "topc: "), "stages[2].params.topc: there is no such parameter; did you mean 'topic'?"),
        (("{source}", "{sourc}"), "stages[2].params.topic: unknown placeholder {sourc}; there is {source}"),
        (("results", "results/#"), "stages[2].params.topic: must be a topic one publishes to"),
        (('}"}}', '}", qos: 3}}'), "stages[2].params.qos: must be a whole number from 0 to 2 (is 3)"),
        (('}"}}', '}", format: xml}}'), "stages[2].params.format: must be 'senml'"),
        (
            ('}"}}', '}", options: {tsl: {}}}}'),
            "stages[2].params.options.tsl: there is no such key; did you mean 'tls'",
        ),
        (('}"}}', '}", options: {max_inflight: 0}}}'), "stages[2].params.options.max_inflight: must be at least 1"),
        (('}"}}', '}", url: "mqtt://h/x"}}'), "stages[2].params.url: a broker's URL ends after the port"),
        (("sensors/+", "sensors/+x"), "stages[0].params.topics[0]: + and # stand alone in a level"),
        ((', url: "mqtt://localhost:1883"', ""), "stages[0].params.url: MqttSubscribe needs this parameter"),
        (('1883"}}', '1883", options: {receive_maximum: 5}}}'), "stages[0].params.options.receive_maximum: must be at"),
        (('1883"}}', '1883", options: {tls: {ca: no.pem}}}}'), "stages[0].params.options.tls.ca: no.pem is not there"),
        (('1883"}}', '1883", password: {env: NO_SUCH}}}'), "stages[0].params.password: the environment has no NO_SUCH"),
    ],
)
def test_a_mistake_is_said_once_at_the_parameter(mistakes: Mistakes, change: tuple[str, str], said: str) -> None:
    """A mistake in such a stage is one line, at the stage's parameter, never at a block the file does not have."""
    assert change[0] in BARE
    lines = mistakes(BARE.replace(*change))
    assert [line for line in lines if line.startswith(f"f.yaml: {said}")], lines
    assert len({line.partition(" ")[2].partition(": ")[0] for line in lines}) == len(lines), lines
    assert not [line for line in lines if line.startswith(("f.yaml: source", "f.yaml: sinks"))], lines


def test_an_override_is_said_to_be_one(mistakes: Mistakes) -> None:
    """A mistake that --set made is located there."""
    (line,) = mistakes(BARE, "stages.out.params.format=xml")
    assert line.startswith("--set: stages[2].params.format: must be 'senml'")


@pytest.mark.parametrize(
    "password", ["hunter2", "{fil: hunter2}", "[hunter2]", "{env: [hunter2]}", "{env: a, file: hunter2}"]
)
def test_a_password_that_is_no_reference_is_not_repeated(mistakes: Mistakes, password: str) -> None:
    """Whatever stands at a stage's `password:`, no line shows it."""
    for index, end in ((0, '1883"}}'), (2, '}"}}')):
        url = "" if index == 0 else 'url: "mqtt://h", '
        lines = mistakes(BARE.replace(end, end[:-2] + f", {url}password: {password}}}}}"))
        assert lines[0].startswith(f"f.yaml: stages[{index}].params.password"), lines
        assert "hunter2" not in "".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            BARE + 'source: {type: mqtt, url: "mqtt://other", topics: [a]}\n',
            "stages[0]: there is a source: too; keep one of the two",
        ),
        (
            BARE + "sinks: {out: {type: file, path: o.jsonl}}\n",
            "stages[2]: there is a sink 'out' too; rename one, or keep one of the two",
        ),
        (
            BARE + '  - {task: MQS, after: [], params: {topics: [b], url: "mqtt://b"}}\nsources:\n'
            "  feed.in: {type: file, path: in.jsonl}\n",
            "stages[0]: there is a source 'feed.in' too; keep one of the two",
        ),
        (
            BARE + '  - {task: MQS, params: {topics: [b], url: "mqtt://b"}}\n',
            "stages[3]: takes from the broker, not from a stage; put it first, or write after: []",
        ),
        (
            FROM_FILE,
            "stages[0].params.url: must be given; give it url: mqtt://host:1883, for the source is a file and has none",
        ),
    ],
)
def test_what_can_not_be_is_refused(mistakes: Mistakes, text: str, said: str) -> None:
    """Two sources, two sinks of one name, a subscription behind a stage, no broker: one line, with the remedy."""
    assert mistakes(text) == [f"f.yaml: {said}"]


@pytest.mark.parametrize(
    "stage", ["{task: mqtt_publish, params: 5}", "{id: 5, task: mqtt_publish}", "{task: MQP, after: 7}", "{task: MQS}"]
)
def test_a_misshapen_stage_is_a_mistake_and_no_crash(mistakes: Mistakes, stage: str) -> None:
    """Whatever stands where such a stage should, the file is refused in words."""
    assert mistakes(f"name: x\nstages: [{stage}]\n")


def test_the_file_is_not_changed(load: Load) -> None:
    """A stage is the same stage after it was read: its parameters stay whole."""
    stage = load(BARE).stages[2]
    assert stage.params == {"topic": "results/{source}"}


def test_the_schema_accepts_stages_alone(load: Load) -> None:
    """For an editor, source: and sinks: are missing only where no stage stands for them."""
    jsonschema = pytest.importorskip("jsonschema")
    load(BARE)
    validator = jsonschema.Draft202012Validator(config.schema())

    def wrong(data: Any) -> list[str]:
        return [error.message for error in validator.iter_errors(data)]

    data = yaml.safe_load(BARE)
    assert wrong(data) == []
    for index in (0, 2):
        assert wrong({**data, "stages": [stage for stage in data["stages"] if stage is not data["stages"][index]]})


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from([0, 2]),
            st.sampled_from(["id", "task", "after", "params", *PARAMETERS, "options.tls", "options.stages"]),
            VALUES,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_anything_in_such_a_stage_is_taken_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str, Any]]
) -> None:
    """No value at any key makes `load` fail other than by mistakes at their places; what loads can be planned."""
    data = yaml.safe_load(BARE)
    for index, key, value in changes:
        stage: dict[str, Any] = data["stages"][index]
        if key in {"id", "task", "after", "params"}:
            stage[key] = value
        elif isinstance(stage.get("params"), dict):
            outer, _, inner = key.partition(".")
            stage["params"][outer] = {inner: value} if inner else value
    file = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    loaded, mistakes = _tried(file)
    assert (loaded is None) == bool(mistakes)
    assert all(line.startswith(f"{file}: ") for line in mistakes)
    if loaded is not None:
        config.plan(loaded)
        config.warnings(loaded)
        assert config.difference(loaded, loaded) == ([], [])


def _tried(file: Path) -> tuple[config.Config | None, list[str]]:
    try:
        return config.load(file), []
    except ConfigError as error:
        return None, [str(mistake) for mistake in error.mistakes]

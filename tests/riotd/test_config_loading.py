"""Files that can be run: what becomes of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from riotd import config
from riotd.config import document
from riotd.dataflow import Outlet, Stage

Load = Callable[..., config.Config]

FOLDER = Path(__file__).resolve().parents[2] / "config"

GOOD = """\
name: city
source: {type: mqtt, url: "mqtt://broker", topics: [sensors/+/senml], session: persistent}
key: {topic_level: 1}
batch: {max_wait: 5ms, max_bytes: 64KiB}
stages:
  - {task: senml_parse}
  - {id: a.b, task: noop}
  - {id: mean, task: average, after: [a.b], params: {window: 10}}
  - {id: kal, task: KAL, after: [a.b]}
engine: {max_keys: 5, idle: 1h}
sinks:
  second: {type: file, path: b.jsonl, from: [kal, senml_parse]}
  first: {type: mqtt, topic: "results/{topic[1]}/{stage}"}
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a text as a file."""
    monkeypatch.chdir(tmp_path)

    def loaded(text: str, *overrides: str) -> config.Config:
        Path("etl.yaml").write_text(text, encoding="utf-8")
        return config.load(Path("etl.yaml"), overrides)

    return loaded


@pytest.mark.parametrize("name", ["minimal.yaml", "reference.yaml"])
def test_the_configs_to_begin_with_are_right_anywhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each loads from any folder, needs nothing there, and gives a plan."""
    monkeypatch.chdir(tmp_path)
    assert config.plan(config.load(FOLDER / name)).stages


def test_the_minimal_config_has_no_warning() -> None:
    """The example to begin with is an example to follow."""
    assert config.warnings(config.load(FOLDER / "minimal.yaml")) == []


def test_units_and_defaults_become_numbers(load: Load) -> None:
    """Durations are seconds, sizes bytes."""
    loaded = load(GOOD)
    assert (loaded.batch.max_wait, loaded.batch.max_bytes, loaded.engine.idle) == (0.005, 65536, 3600.0)
    assert (loaded.max_in_flight, loaded.grace, loaded.file) == (None, 20.0, "etl.yaml")


def test_the_wait_depends_on_the_engine_where_it_is_not_said(load: Load) -> None:
    """Company is not worth waiting for inline; it is on Ray."""
    text = GOOD.replace("max_wait: 5ms, ", "")
    assert load(text).max_wait == 0.0
    assert load(text, "engine.type=ray").max_wait == 0.002


def test_the_plan_has_stages_chained_and_an_outlet_for_each_sink(load: Load) -> None:
    """Unsaid `after` is the stage before, unsaid `from` the last stages; outlets keep the order of the sinks."""
    plan = config.plan(load(GOOD), ["/app"])
    assert plan.stages == (
        Stage("senml_parse", "senml_parse"),
        Stage("a.b", "noop", after=("senml_parse",)),
        Stage("mean", "average", {"window": 10}, ("a.b",)),
        Stage("kal", "KAL", after=("a.b",)),
    )
    assert plan.outlets == (
        Outlet("second", ("kal", "senml_parse"), "json", topics=False),
        Outlet("first", ("mean", "kal"), "senml", topics=True),
    )
    assert (plan.max_keys, plan.idle, plan.path) == (5, 3600.0, ("/app",))


def test_stages_may_stand_in_any_order(load: Load) -> None:
    """The plan puts a stage behind those it takes from."""
    text = GOOD.replace(
        "  - {task: senml_parse}\n", "  - {id: last, task: noop, after: [mean]}\n  - {task: senml_parse, after: []}\n"
    )
    assert [stage.id for stage in config.plan(load(text)).stages] == ["senml_parse", "a.b", "mean", "last", "kal"]


def test_overrides_reach_keys_by_name_index_and_id(load: Load) -> None:
    """Steps may be keys, indices in either writing, ids of stages, also such with dots; blocks are made as needed."""
    loaded = load(
        GOOD,
        "stages.mean.params.window=5",
        "stages[3].params.fields=[t]",
        "stages.a.b.task=NoOperation",
        "stages.1.params={}",
        "stats.every=1m",
        "source.qos=0",
        "batch.max_wait=null",
    )
    assert [stage.params for stage in loaded.stages] == [{}, {}, {"window": 5}, {"fields": ["t"]}]
    assert loaded.stages[1].task == "NoOperation"
    assert (loaded.stats.every, loaded.source.qos, loaded.batch.max_wait) == (60.0, 0, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"),
        ("007", 7),
        ("0o17", 15),
        ("0x1f", 31),
        ("-.inf", float("-inf")),
        ("~", None),
        ("", None),
        ("[1, 2.5, a]", [1, 2.5, "a"]),
        ("{a: &x {b: 1}, c: {<<: *x}}", {"a": {"b": 1}, "c": {"b": 1}}),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    """PyYAML's surprises, such as `no`, base 60 and 1e-3 as a text, are none of ours."""
    assert document.parse(text) == value


def test_a_key_without_a_value_is_as_good_as_none(load: Load) -> None:
    """`params:` with nothing behind it, or `--set key=null`, gives the default."""
    text = GOOD.replace("{task: senml_parse}", "{task: senml_parse, params: }") + "stats:\nrejects:\nmax_in_flight:\n"
    loaded = load(text, "key=null")
    assert (loaded.key, loaded.stages[0].params, loaded.rejects.type) == (config.Key(), {}, "log")
    assert (loaded.stats, loaded.max_in_flight) == (config.StatsBlock(), None)


def test_protocol_5_needs_no_quotes(load: Load) -> None:
    """YAML reads a bare 5 as a number."""
    assert load(GOOD, "source.protocol=5").source.protocol == "5"


def test_secrets_are_read_when_asked_for_and_never_shown(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newline at the end is cut; neither the config's repr nor its text has the secret."""
    (tmp_path / "mqtt").write_text("hunter2\n", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("MQTT_PASSWORD", "hunter2")
    for reference in ("{credential: mqtt}", "{env: MQTT_PASSWORD}", "{file: mqtt}"):
        loaded = load(GOOD, f"source.password={reference}")
        assert loaded.source.password.read() == "hunter2"
        assert "hunter2" not in repr(loaded) + config.settings_text(loaded)


def test_the_settings_in_force_are_a_config_again(load: Load, tmp_path: Path) -> None:
    """`settings_text` has every key, and loads to the same config."""
    loaded = load(GOOD)
    (tmp_path / "again.yaml").write_text(config.settings_text(loaded), encoding="utf-8")
    assert config.difference(config.load(tmp_path / "again.yaml"), loaded) == ([], [])


def test_connections_are_equal_for_equal_settings(load: Load) -> None:
    """What shares a broker can share a connection: they serve as keys of a dict."""
    one, other = (load(GOOD, "source.topics=[a/b]").source.connection() for _ in range(2))
    assert {one: 1}[other] == 1
    assert load(GOOD, "source.username=x").source.connection() != one


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["source.session=clean"],
            "source.session: QoS 1 with a clean session: what is sent while riotd is away is lost",
        ),
        (["source.session_expiry=0"], "source.session_expiry: is 0: the persistent session ends with the connection"),
        (["source.protocol=3.1.1"], "source.protocol: with QoS 1 many brokers send 20 messages ahead"),
        (["engine.address=auto"], "engine.address: means nothing to the inline engine"),
        (["engine.memory=1GB"], "engine.memory: is a worker's: the inline engine has none"),
        (["engine.shards=2", "key=null"], "key: is not given: all messages share one key, so one of the 2 shards"),
        (["engine.shards=2", "key.topic_level=0"], "key: topic_level 0 is always 'sensors', so one of the 2 shards"),
        (["sinks.first.from=[mean]", "sinks.second.from=[mean]"], "stages[3]: nobody takes the records of 'kal'"),
        (["sinks.first.qos=0"], "sinks.first.qos: QoS 0 behind a source of QoS 1"),
        (["sinks.first.topic=sensors/{source}/{stage}"], "sinks.first.topic: may match sensors/+/senml"),
        (["source.password={env: HOME}"], "source.url: the password goes over the network in clear; mqtts://"),
        (["source.tls={}"], "source.tls: means nothing to mqtt://"),
        (["source.url=mqtts://b", "source.tls={verify_hostname: false}"], "source.tls.verify_hostname: is false"),
    ],
)
def test_what_may_not_be_meant_is_a_warning(load: Load, overrides: list[str], said: str) -> None:
    """A config that can be run but loses data, works in vain or shows a secret is warned about, with a remedy."""
    found = [str(warning) for warning in config.warnings(load(GOOD, *overrides))]
    assert any(line.startswith(said) for line in found), found


def test_a_good_config_has_no_warnings(load: Load) -> None:
    """Warnings are about something."""
    assert config.warnings(load(GOOD)) == []

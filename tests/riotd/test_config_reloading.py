"""What changes from one config to the next."""

from collections.abc import Callable
from pathlib import Path

import pytest

from riotd import config
from riotd.errors import ConfigError

Load = Callable[..., config.Config]

GOOD = """\
name: city
source: {type: mqtt, url: "mqtt://broker", topics: [sensors/+/senml]}
stages:
  - {task: senml_parse}
  - {id: mean, task: average, params: {window: 10}}
sinks:
  out: {type: mqtt, topic: "results/{source}"}
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a text as a file."""
    monkeypatch.chdir(tmp_path)

    def loaded(text: str, *overrides: str) -> config.Config:
        Path("etl.yaml").write_text(text, encoding="utf-8")
        return config.load("etl.yaml", overrides)

    return loaded


@pytest.mark.parametrize(
    ("override", "live", "fixed"),
    [
        ("stages.mean.params.window=5", ["stages.mean.params.window"], []),
        ("stages.mean.id=average", ["stages.mean", "stages.average"], []),
        ("batch.max_records=5", ["batch.max_records"], []),
        ("engine.idle=1h", ["engine.idle"], []),
        ("engine.max_keys=5", ["engine.max_keys"], []),
        ("stats.every=1s", ["stats.every"], []),
        ("rejects={type: file, path: x}", ["rejects.type", "rejects.path", "rejects.max_size", "rejects.files"], []),
        ("sinks.out.qos=0", ["sinks.out.qos"], []),
        ("sinks.more={type: file, path: x}", ["sinks.more"], []),
        ("grace=1s", ["grace"], []),
        ("max_in_flight=1MB", [], ["max_in_flight"]),
        ("memory=512MiB", [], ["memory"]),
        ("engine.deadline=5s", [], ["engine.deadline"]),
        ("engine.memory=1GB", [], ["engine.memory"]),
        ("name=town", [], ["name"]),
        ("source.topics=[a]", [], ["source.topics"]),
        ("key.topic_level=1", [], ["key.topic_level"]),
        ("engine.shards=2", [], ["engine.shards"]),
        ("engine.type=ray", [], ["engine.type"]),
        ("engine.address=auto", [], ["engine.address"]),
        ("stats.topic=a", [], ["stats.topic"]),
        ("stats.status=a", [], ["stats.status"]),
        ("stats.connection={url: 'mqtt://x'}", [], ["stats.connection"]),
    ],
)
def test_each_key_is_swapped_live_or_named(load: Load, override: str, live: list[str], fixed: list[str]) -> None:
    """A changed key is in exactly one of the two lists."""
    assert config.difference(load(GOOD), load(GOOD, override)) == (live, fixed)


def test_the_order_of_stages_counts_and_nothing_else_does(load: Load) -> None:
    """A file that says the same in other words does not differ; stages in another order do."""
    other = GOOD.replace("{task: senml_parse}", "{id: senml_parse, task: senml_parse, after: []}")
    assert config.difference(load(GOOD), load(GOOD + "grace: 20000ms\n")) == ([], [])
    assert config.difference(load(GOOD), load(other)) == (["stages.senml_parse.after"], [])
    first, last = "  - {task: noop, after: []}\n", "  - {id: x, task: noop, after: []}\n"
    one, two = (GOOD.replace("stages:\n", "stages:\n" + stages) for stages in (first + last, last + first))
    assert config.difference(load(one), load(two)) == (["stages"], [])


def test_a_merged_config_has_the_new_where_it_may(load: Load) -> None:
    """What can't be swapped stays, all else is new, and nothing but the fixed keys differs from the new config."""
    old = load(GOOD)
    new = load(GOOD, "name=town", "engine.shards=4", "engine.idle=1h", "stats.topic=a", "stats.every=1s", "grace=1s")
    merged = config.merged(old, new)
    assert config.difference(old, merged) == (["engine.idle", "stats.every", "grace"], [])
    assert config.difference(merged, new) == ([], ["name", "engine.shards", "stats.topic"])


def test_a_mixture_that_can_not_be_run_is_refused(load: Load) -> None:
    """An MQTT sink that relies on the new source's broker can't go with the old source, a file."""
    Path("in.jsonl").touch()
    text = GOOD.replace('{type: mqtt, url: "mqtt://broker", topics: [sensors/+/senml]}', "{type: file, path: in.jsonl}")
    old = load(text.replace('"results/{source}"', '"results/{source}", connection: {url: "mqtt://broker"}'))
    with pytest.raises(ConfigError, match=r"sinks\.out\.connection: must be given"):
        config.merged(old, load(GOOD))

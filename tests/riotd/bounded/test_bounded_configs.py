"""A configuration in a run over files: overlays, named sources, keys of stages, further outputs."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import riotd
from riotd.bounded.naming import flow
from riotd.cli.verbs import riotd as program
from riotd.errors import ConfigError
from tests.riotd.bounded.bounded_inputs import city, results

TEXT = """\
name: city
sources: {feed: {type: mqtt, url: "mqtt://nowhere", topics: [a]}}
stages:
  - {id: parse, task: senml_parse, params: {explode: true}, after: [feed]}
  - {id: count, task: distinct_count, key: name, params: {item: source}}
sinks:
  out: {type: mqtt, topic: a}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with flow.yaml, an overlay of it, and a city's packs."""
    monkeypatch.chdir(tmp_path)
    Path("flow.yaml").write_text(TEXT, encoding="utf-8")
    Path("half").mkdir()
    Path("half/flow.yaml").write_text("stages: {count: {params: {trigger: temperature}}}\n", encoding="utf-8")
    city(Path("city.csv"), 300, sensors=9)


def test_a_key_of_a_stage_s_own_gives_the_same_with_any_number_of_shards() -> None:
    """Shards of such a run pass no records on; so a flow that would need it is not divided."""
    for shards in (1, 4):
        riotd.run_file("flow.yaml", "city.csv", f"{shards}.jsonl", shards=shards)
    counts = [record["values"] for record in results("4.jsonl")]
    assert counts == [record["values"] for record in results("1.jsonl")]
    assert {value for record in counts for value in record.values()} >= {1.0, 9.0}


def test_a_stream_is_not_divided_either() -> None:
    """The same in Python, item by item."""
    lines = [line.partition(b",")[2] for line in Path("city.csv").read_bytes().splitlines()]
    one, four = (list(riotd.run_stream("flow.yaml", lines, shards=shards)) for shards in (1, 4))
    assert [record.values for record in one] == [record.values for record in four]


def test_an_overlay_is_laid_over_what_is_run() -> None:
    """--with reaches the verbs that run a configuration over files, and only with -c."""
    run = CliRunner().invoke
    done = run(program, ["run-file", "-c", "flow.yaml", "city.csv", "-o", "out.jsonl", "--with", "half"])
    assert done.exit_code == 0, done.output
    assert len(results("out.jsonl")) == 300
    assert run(program, ["run-file", "average", "city.csv", "-o", "o.jsonl", "--with", "half"]).exit_code == 2


def test_a_mistake_of_an_overlay_is_said_of_it() -> None:
    """By its path."""
    Path("half/flow.yaml").write_text("stages: {count: {params: {itm: x}}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^half/flow\.yaml: stages\[1\]\.params\.itm: there is no such parameter"):
        flow("flow.yaml", overlays=["half"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("sources: {", "sources: {other: {type: timer, every: 1s}, "), "sources: other, feed are several, and a run"),
        (
            ("key: name", "after: [parse, feed]"),
            "stages[1].after: has messages and records, and a run over files can't",
        ),
        (("after: [feed]", "after: [fed]"), "stages[0].after: there is no stage or source 'fed'; did you mean 'feed'?"),
    ],
)
def test_what_only_a_daemon_can_do_is_refused(change: tuple[str, str], said: str) -> None:
    """A run has one input: several sources, or a mixture of messages and records, are mistakes."""
    with pytest.raises(ConfigError) as caught:
        flow(_written(TEXT.replace(*change)))
    assert str(caught.value).startswith(f"flow.yaml: {said}")


def test_another_output_of_a_stage_is_a_result_like_others() -> None:
    """What sinks take from `<stage>/<output>` is among the results, and nothing else is."""
    text = TEXT.replace("distinct_count, key: name, params: {item: source}", "window, params: {size: 1s, late: aside}")
    assert flow(_written(text)).outlets == ("count",)
    assert flow(_written(text.replace("topic: a}\n", "topic: a, from: [count/late]}\n"))).outlets == ("count/late",)


def _written(text: str) -> Path:
    Path("flow.yaml").write_text(text, encoding="utf-8")
    return Path("flow.yaml")

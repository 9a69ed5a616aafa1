"""What a run does, as a plan for shards."""

from collections.abc import Iterable
from pathlib import Path

import pytest

import riotd
from riot_tasks import Record, Task
from riot_tasks.statistics.average import Average
from riotd import catalog
from riotd.bounded import forms
from riotd.bounded.flows import Flow, check_fields, sampled
from riotd.bounded.forms import form_of
from riotd.bounded.naming import flow
from riotd.bounded.placing import ENGINES
from riotd.bounded.writing import encoding_of
from riotd.cli import bounded
from riotd.dataflow import Stage
from riotd.errors import ConfigError
from tests.riotd.bounded.bounded_inputs import packs, results, write


class Loud(Task):
    """A task of one's own, known to nobody by name."""

    stateful = False

    def process(self, record: Record) -> Iterable[Record]:
        """The record, twice."""
        return (record, record)


@pytest.mark.parametrize(
    ("form", "stages"),
    [
        ("senml", [("senml_parse", "senml_parse", ()), ("average", "average", ("senml_parse",))]),
        (
            "riotbench",
            [("senml_parse", "riotd.bounded.parsing:StampedSenml", ()), ("average", "average", ("senml_parse",))],
        ),
        ("json", [("json", "riotd.bounded.parsing:JsonLine", ()), ("average", "average", ("json",))]),
        ("raw", [("average", "average", ())]),
    ],
)
def test_a_parse_stage_stands_in_front(form: str, stages: list[tuple[str, str, tuple[str, ...]]]) -> None:
    """The one that the form needs."""
    plan = flow("average").plan(form_of(form, []), "line")
    assert [(stage.id, stage.task, stage.after) for stage in plan.stages] == stages
    assert [(outlet.stages, outlet.format) for outlet in plan.outlets] == [(("average",), "line")]


def test_a_task_that_reads_payloads_has_none_in_front() -> None:
    """But for the stamp's; told a field of records, it has one."""
    assert [stage.id for stage in flow("SML").plan(form_of("senml", []), "line").stages] == ["senml_parse"]
    assert [stage.id for stage in flow("SML").plan(form_of("riotbench", []), "line").stages] == ["stamp", "senml_parse"]
    inner = flow("senml_parse", {"field": "pack"}).plan(form_of("json", []), "line")
    assert [(stage.id, stage.after) for stage in inner.stages] == [("json", ()), ("senml_parse", ("json",))]


def test_a_dataflow_may_take_payloads_and_records() -> None:
    """Each first stage gets what it wants; ids stay different."""
    mixed = Flow(
        "mixed",
        (Stage("senml_parse", "average"), Stage("raw", "senml_parse"), Stage("after", "noop", {}, ("raw",))),
        ("senml_parse", "after"),
    )
    plan = mixed.plan(form_of("riotbench", []), "line")
    assert [(stage.id, stage.after) for stage in plan.stages] == [
        ("stamp", ()),
        ("senml_parse_", ()),
        ("senml_parse", ("senml_parse_",)),
        ("raw", ("stamp",)),
        ("after", ("raw",)),
    ]


def test_a_task_may_be_its_class(tmp_path: Path) -> None:
    """A registered one, or one's own."""
    write(tmp_path / "in", [b'{"device":"a","t":1}', b'{"device":"a","t":3}'])
    riotd.run_file(Average, tmp_path / "in", tmp_path / "out.jsonl", params={"window": 2})
    assert [one["values"] for one in results(tmp_path / "out.jsonl")] == [{"t": 2.0}]
    report = riotd.run_file(Loud, tmp_path / "in", tmp_path / "out.jsonl")
    assert (report.about.task, report.results) == (f"{__name__}:Loud", 4)


def test_what_keeps_no_state_is_known() -> None:
    """By its tasks."""
    assert flow("average").stateful
    assert not flow("range_filter", {"ranges": {"t": [0, 1]}}).stateful


def checked(name: str, lines: list[bytes], **params: object) -> None:
    """Check a task's fields against lines of JSON."""
    form = form_of("json", lines)
    check_fields(flow(name, params), form, sampled(form, lines, [""] * len(lines)))


def test_unknown_fields_are_named() -> None:
    """With the nearest there is, for whatever parameter names a field."""
    line = [b'{"device":"a","temperature":1}']
    for name, params, parameter in (
        ("average", {"fields": ["temprature"]}, "average.fields"),
        ("range_filter", {"ranges": {"temprature": [0, 1]}}, "range_filter.ranges"),
        ("distinct_count", {"item": "temprature"}, "distinct_count.item"),
    ):
        with pytest.raises(ConfigError, match=f"{parameter}: there is no field 'temprature' .* 'temperature'"):
            checked(name, line, **params)


def test_fields_that_are_there_pass() -> None:
    """Also a record's source; also if the other lines are damaged, or nothing can be told."""
    line = [b'{"device":"a","temperature":1}']
    checked("average", [b"{", *line], fields=["temperature"])
    checked("distinct_count", line, item="source", trigger="temperature")
    checked("average", [b"{"], fields=["temperature"])
    checked("linear_regression_train", [b'{"rows":"a,b\\n1,2"}'], features=["a"], target="b")


def test_a_sample_is_what_the_form_s_stage_makes() -> None:
    """Of packs their fields."""
    lines = packs(3)
    assert [set(record.values) >= {"temperature"} for record in sampled(form_of("senml", []), lines, ["", "", ""])] == [
        True
    ] * 3


def test_the_command_line_knows_all_forms_and_engines() -> None:
    """It names them itself, so that its help loads nothing."""
    assert bounded.FORMS == forms.FORMS
    assert bounded.ENGINES == ENGINES


@pytest.mark.parametrize("name", ["out", "out.txt", "out.gz", "jsonl"])
def test_a_name_without_a_format(name: str) -> None:
    """Is a mistake."""
    with pytest.raises(ConfigError, match=r"write \.jsonl, \.csv or \.senml"):
        encoding_of(name)


def test_every_registered_task_can_be_asked() -> None:
    """Whether it wants payloads is told without making one: those do whose field is called so."""
    wanting = {name for name in catalog.names() if Flow(name, (Stage("one", name),), ("one",)).wants_payload}
    assert {"senml_parse", "csv_to_senml"} <= wanting
    assert wanting.isdisjoint({"average", "bloom_filter", "kalman_filter", "noop", "range_filter"})

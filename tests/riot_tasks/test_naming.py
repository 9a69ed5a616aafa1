import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Record
from riot_tasks.io.naming import Template

RECORD = Record(7, "dev/7", 1.5, {"temperature": 20.0, "blob": "a/b/c.json", "raw": b"x/y"}, {}, {"bn": "urn:dev:1"})


def _filled(template: str, record: Record = RECORD) -> str:
    return Template("name", template).fill(record)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{source}-{time}-{id}", "dev_7-1500-7"),
        ("plots/{source}.svg", "plots/dev_7.svg"),
        ("{temperature}", "20"),
        ("{bn}", "urn:dev:1"),
        ("{raw}", "x_y"),
        ("{blob}", "a_b_c.json"),
        ("{blob:path}", "a/b/c.json"),
        ("{blob:base}", "c.json"),
        ("x/{blob:path}/{raw:base}", "x/a/b/c.json/y"),
        ("fixed", "fixed"),
    ],
)
def test_placeholders(template: str, name: str) -> None:
    """A placeholder is what the record knows; a slash in it is kept only where it is asked for."""
    assert _filled(template) == name


@pytest.mark.parametrize(
    ("value", "plain", "path"),
    [
        ("../../etc/passwd", ".._.._etc_passwd", "_/_/etc/passwd"),
        ("/etc/passwd", "_etc_passwd", "etc/passwd"),
        ("..", "_", "_"),
        (".", "_", "_"),
        ("", "_", "_"),
        ("a//b", "a__b", "a/_/b"),
        ("a\\..\\b", "a_.._b", "a_.._b"),
        ("a\0b\nc", "a_b_c", "a_b_c"),
        ("a#b?c%2f", "a_b_c_2f", "a_b_c_2f"),
        ("\ud800", "_", "_"),
        ("...", "...", "..."),
    ],
)
def test_no_value_leads_elsewhere(value: str, plain: str, path: str) -> None:
    """Whatever a device sends, its levels stay below the place the template says."""
    record = Record(1, value, 0.0, {"x": value})
    assert (_filled("{x}", record), _filled("{x:path}", record), _filled("{source}", record)) == (plain, path, plain)


@given(st.text(), st.sampled_from(["{x}", "a/{x:path}", "{x:base}", ".{x}", "{x}.", "{x}{x:path}"]))
def test_a_name_is_always_below(value: str, template: str) -> None:
    """For any text a name is refused or has levels that are neither empty nor dots, and is UTF-8."""
    try:
        name = _filled(template, Record(1, "", 0.0, {"x": value}))
    except BadRecord as refusal:
        assert "is too long" in str(refusal)  # noqa: PT017 - any text may be
        return
    assert {"", ".", ".."}.isdisjoint(name.split("/"))
    assert name.encode().decode() == name


@pytest.mark.parametrize(
    ("record", "template", "message"),
    [
        (RECORD, "{other}", "other: has no value, and name needs it"),
        (Record(1, "", 0.0, {"x": None}), "{x}", "x: has no value, and name needs it"),
        (Record(1, "x" * 201, 0.0, {}), "{source}", "name: x{40}… is too long, 201 characters"),
        (Record(1, "", 0.0, {"x": "a/" * 300}), "{x:path}", "name: .* is too long, 599 characters"),
        (Record(1, "", float("nan"), {}), "{time}", "time: nan is no time"),
        (Record(1, "", float("inf"), {}), "{time}", "time: inf is no time"),
    ],
)
def test_what_gives_no_name_is_refused(record: Record, template: str, message: str) -> None:
    """A record that lacks a field, or whose name would be too long, is a BadRecord that says which."""
    with pytest.raises(BadRecord, match="^" + message):
        _filled(template, record)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, r"name: must be a text like \{source\}-\{time\}"),
        ("", r"name: must be a text like"),
        ("{source", "name: a brace without its partner"),
        ("source}", "name: a brace without its partner"),
        ("{}", "name: a placeholder without a name"),
        ("/etc/{source}", "name: '/etc/{source}' must not have empty levels"),
        ("../{source}", "name: .* must not have empty levels, '.', '..'"),
        ("{source}/", "name: .* must not have empty levels"),
        ("a#{source}", "name: .* must not have"),
    ],
)
def test_wrong_templates_are_refused(template: object, message: str) -> None:
    """A template that can't be, or leads elsewhere by itself, is refused when the task is made."""
    with pytest.raises(ValueError, match="^" + message):
        Template("name", template)


def test_only_some_placeholders() -> None:
    """Where fields are of no use, a placeholder for one is refused, saying what there is."""
    with pytest.raises(ValueError, match=r"name: there is no \{blob\} here; there is \{source\}, \{last\}"):
        Template("name", "{source}-{blob}", only=("source", "last"))
    assert Template("name", "{source}-{last}", only=("source", "last")).fill(RECORD, {"last": "9"}) == "dev_7-9"

"""How messages show values that may be anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks.showing import shown


class Mute:
    def __repr__(self) -> str:
        raise KeyError("nothing to say")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (-7.5, "-7.5"),
        ("line\nfeed", "'line\\nfeed'"),
        (["a", {"b": 1}], "['a', {'b': 1}]"),
        ("/var/lib/riotd/a/path/that/a/person/must/read.csv", "'/var/lib/riotd/a/path/that/a/person/must/read.csv'"),
        ([16**5000], "[an integer of 20001 bits]"),
        ({"a": [-(10**400)]}, "{'a': [an integer of 1329 bits]}"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]"),
    ],
)
def test_a_value_reads_as_in_python(value: object, text: str) -> None:
    """As `repr` has it, what is long or can't be written cut."""
    assert shown(value) == text


def test_a_value_that_fails_to_say_what_it_is_has_its_type_shown() -> None:
    """A `__repr__` that raises does not keep the message from being made."""
    assert shown(Mute()).startswith("<Mute instance at 0x")


def test_what_holds_itself_or_is_deep_ends() -> None:
    """Neither a list in itself nor one in thousands of others takes more than a line."""
    loop: list[object] = []
    loop.append(loop)
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert shown(loop) == shown(deep) == "[[[[[[[...]]]]]]]"


@given(
    st.recursive(
        st.text(max_size=500) | st.binary() | st.integers() | st.floats() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    )
)
def test_it_is_a_line_of_bounded_length(value: object) -> None:
    """No value takes more than 300 characters, or more than one line."""
    text = shown(value)
    assert 0 < len(text) <= 300
    assert "\n" not in text

"""Topic templates: every value gives a valid topic with the template's own levels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.templates import TopicTemplate

anything = st.text() | st.text("ab+#/$\0\x01\ufffe")
templates = st.sampled_from([
    "{source}",
    "out/{source}/{stage}",
    "{source}{name}/x",
    "a/{topic[0]}/{topic[-1]}/{topic[7]}",
    "plain/topic",
])


@given(templates, anything, anything, anything, anything)
def test_no_value_breaks_the_topic(text: str, source: str, stage: str, name: str, topic: str) -> None:
    """Whatever the values are, the topic has the template's levels, none empty, no wildcard, no character refused."""
    filled = TopicTemplate(text).render(source, stage, name, topic)
    assert filled.count("/") == text.count("/")
    assert all(filled.split("/"))
    assert not set(filled) & set("+#\0\x01\ufffe")
    assert not filled.startswith("$")
    filled.encode()


def test_any_number_of_devices_has_topics_of_its_own() -> None:
    """More devices than are remembered, asked for again and again: each has its own topic."""
    template = TopicTemplate("out/{source}/{topic[1]}")
    devices = [str(number) for number in range(10_000)]
    for _ in range(2):
        topics = [template.render(device, "s", "n", f"in/{number % 3}") for number, device in enumerate(devices)]
        assert topics == [f"out/{device}/{number % 3}" for number, device in enumerate(devices)]


@given(st.text("abc.:-ä ", min_size=1), st.text("abc", min_size=1))
def test_fit_values_stay_as_they_are(source: str, stage: str) -> None:
    """Only what must not be in a level is replaced."""
    assert TopicTemplate("r/{source}/{stage}").render(source, stage, "", "") == f"r/{source}/{stage}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("out/{source}/{stage}/{name}", "out/dev_1/kal/_"),
        ("{topic[0]}/{topic[-1]}", "sensors/senml"),
        ("x{topic[9]}", "x_"),
        ("{source}-{source}", "dev_1-dev_1"),
        ("fixed", "fixed"),
    ],
)
def test_placeholders_are_filled(text: str, expected: str) -> None:
    """Levels count from either end; what is not there is a `_`."""
    assert TopicTemplate(text).render("dev/1", "kal", "", "sensors/d/senml") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("out/{sorce}", r"unknown placeholder \{sorce\}; there is \{source\}, \{stage\}, \{name\}, \{topic\[0\]\}"),
        ("out/{topic}", r"unknown placeholder \{topic\}"),
        ("out/{topic[a]}", r"unknown placeholder \{topic\[a\]\}"),
        ("out/{}", r"unknown placeholder \{\}"),
        ("out/{source", "{ without its partner"),
        ("out/source}", "} without its partner"),
        ("out/+/{source}", r"'\+' can't be in a topic"),
        ("out/#", "'#' can't be in a topic"),
        ("", "at least one character"),
        ("$SYS/{source}", "broker's own"),
    ],
)
def test_a_mistake_names_the_placeholder(text: str, message: str) -> None:
    """What is wrong with a template is told before anything is published."""
    with pytest.raises(ValueError, match=message):
        TopicTemplate(text)


def test_a_place_may_allow_fewer_fields() -> None:
    """Dead letters have no name of a field: their template refuses it."""
    with pytest.raises(ValueError, match=r"unknown placeholder \{source\}; there is \{name\}, \{stage\}"):
        TopicTemplate("rejects/{source}", ("name", "stage"))


def test_says_whether_it_needs_the_topic() -> None:
    """Only then must results carry the topic of their source message."""
    assert TopicTemplate("a/{topic[1]}").uses_topic
    assert not TopicTemplate("a/{source}").uses_topic

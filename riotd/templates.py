"""Topic templates: what a record knows about itself, put into a topic that is always valid."""

import re
from collections.abc import Callable, Collection

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TOPIC_LEVEL = re.compile(r"topic\[(-?\d+)\]")
_UNFIT = re.compile(
    "[+#/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr((plane << 16) + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
"""What must not come from a value: wildcards, level separators, and what MQTT 5 section 1.5.4 lets a broker refuse."""

FIELDS = ("source", "stage", "name", "topic")
"""What a template may use; `topic` only as {topic[n]}."""

_REMEMBERED = 4096
"""Topics kept; more would be looked for in memory that is far away for longer than they take to make."""
_Part = str | int
"""A field's name, or the number of a level of the source message's topic."""


class TopicTemplate:
    """A topic with placeholders {source}, {stage}, {name}, {topic[n]}.

    Characters of a value that are no part of a topic level become `_`, and so does an empty value or a level
    that is not there: no value can add, remove or blank a level, or make a wildcard.

    Args:
        text: the template; levels count from 0, -1 is the last.
        fields: which of `FIELDS` are allowed here.

    Attributes:
        uses_topic: whether it asks for the source message's topic.

    Raises:
        ValueError: it is no template, and why.
    """

    def __init__(self, text: str, fields: Collection[str] = FIELDS) -> None:
        literals, names = _split(text)
        self.text = text
        parts = [_part(name, fields) for name in names]
        self.uses_topic = any(isinstance(part, int) for part in parts)
        self.render = _renderer(literals, parts)

    render: Callable[[str, str, str, str], str]
    """The topic for (source, stage, name, topic)."""

    def __repr__(self) -> str:
        return f"TopicTemplate({self.text!r})"


def _split(text: str) -> tuple[list[str], list[str]]:
    """The literal texts around the placeholders, one more than those, and the placeholders."""
    pieces = _PLACEHOLDER.split(text)
    literals, names = pieces[::2], pieces[1::2]
    for literal in literals:
        if brace := next((mark for mark in "{}" if mark in literal), None):
            raise ValueError(f"{brace} without its partner in {text!r}; a placeholder is {{source}}")
        if unfit := _UNFIT.search(literal.replace("/", "")):
            raise ValueError(f"{unfit[0]!r} can't be in a topic one publishes to")
    if not text:
        raise ValueError("a topic has at least one character")
    if text.startswith("$"):
        raise ValueError("topics that begin with $ are the broker's own")
    return literals, names


def _part(name: str, fields: Collection[str]) -> _Part:
    if name != "topic" and name in fields:
        return name
    if "topic" in fields and (level := _TOPIC_LEVEL.fullmatch(name)):
        return int(level[1])
    known = ", ".join("{topic[0]}" if field == "topic" else f"{{{field}}}" for field in fields)
    raise ValueError(f"unknown placeholder {{{name}}}; there is {known}")


def _renderer(literals: list[str], parts: list[_Part]) -> Callable[[str, str, str, str], str]:
    """Few distinct topics are remembered, at 0.1 µs a call; one in many thousands is made anew, in 1 µs."""
    if not parts:
        return lambda source, stage, name, topic: literals[0]  # noqa: ARG005 - the same call for every template

    def filled(source: str, stage: str, name: str, topic: str) -> str:
        text = literals[0]
        for part, literal in zip(parts, literals[1:], strict=True):
            if isinstance(part, int):
                value = _level(topic.split("/"), part)
            else:
                value = source if part == "source" else stage if part == "stage" else name
            text += (value if value.isalnum() else _UNFIT.sub("_", value) or "_") + literal
        return "_" + text[1:] if text.startswith("$") else text

    known: dict[tuple[str, ...], str] = {}
    uses_topic = any(isinstance(part, int) for part in parts)

    def render(source: str, stage: str, name: str, topic: str) -> str:
        key = (source, stage, name, topic) if uses_topic else (source, stage, name)
        text = known.get(key)
        if text is None:
            if len(known) == _REMEMBERED:
                known.clear()
            text = known[key] = filled(source, stage, name, topic)
        return text

    return render


def _level(levels: list[str], index: int) -> str:
    return levels[index] if -len(levels) <= index < len(levels) else ""

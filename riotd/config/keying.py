"""What a key is in the file: of messages, and of what a stage keeps its task instances by."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from riotd.config.connection import Block
from riotd.config.wording import text

_WORDS = {
    "source": "the record's source",
    "name": "the name of its only field",
    "one": "the same for all records",
}
"""Parts of a stage's key that are words."""


class Key(Block):
    """Which device a message is of; messages of one key keep their order and share state. At most one of the three.

    Attributes:
        topic_level: level of the topic, counted from 0.
        topic_regex: regular expression searched in the topic; its first group, or all it matched.
        field: name of a SenML entry, read from the payload (for feeds that say it only there).
    """

    topic_level: int | None = Field(default=None, ge=0)
    topic_regex: str | None = None
    field: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "Key":
        if sum(value is not None for value in (self.topic_level, self.topic_regex, self.field)) > 1:
            raise ValueError("give at most one of topic_level, topic_regex, field")
        return self


class SourceKey(Key):
    """The key of one of several sources.

    Attributes:
        every: hands each message to every shard, with the key ""; `key: every` is short for it.
    """

    every: bool = False

    @model_validator(mode="before")
    @classmethod
    def _word(cls, data: Any) -> Any:  # noqa: ANN401 - what YAML gives
        if not isinstance(data, str):
            return data
        if data != "every":
            raise ValueError(f"must be a mapping, or the word every (is {text(data)})")
        return {"every": True}

    @model_validator(mode="after")
    def _alone(self) -> "SourceKey":
        if self.every and (self.topic_level, self.topic_regex, self.field) != (None, None, None):
            raise ValueError("every stands alone: each shard has all messages, whatever their topic or field")
        return self


def _parts(value: object) -> list[str | dict[str, str]]:
    """A stage's key in one form, a list of words and `{field: …}`."""
    parts = [_part(each) for each in (value if isinstance(value, list) else [value])]
    if not parts:
        raise ValueError(f"must have at least one part: {', '.join(_WORDS)} or {{field: …}}")
    if twice := next((part for index, part in enumerate(parts) if part in parts[:index]), None):
        raise ValueError(f"{_said(twice)} is there twice; keep one")
    if "one" in parts and len(parts) > 1:
        raise ValueError("'one' stands alone: with another part it says nothing; leave it out")
    return parts


def _part(value: object) -> str | dict[str, str]:
    if isinstance(value, str) and value in _WORDS:
        return value
    if isinstance(value, Mapping) and list(value) == ["field"] and isinstance(value["field"], str) and value["field"]:
        return {"field": value["field"]}
    known = f"parts are {', '.join(_WORDS)} and {{field: …}}"
    if not isinstance(value, str):
        raise ValueError(f"must be a part of a record's key (is {text(value)}); {known}")  # noqa: TRY004 - pydantic's
    if close := get_close_matches(value, _WORDS, n=1):
        raise ValueError(f"{value!r} is no part of a record's key; did you mean {close[0]!r}?")
    raise ValueError(f"{value!r} is no part of a record's key; the value of a field is {{field: {value}}}, {known}")


def _said(part: str | Mapping[str, str]) -> str:
    return repr(part) if isinstance(part, str) else f"{{field: {part['field']}}}"


_PART_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": list(_WORDS), "description": "; ".join(f"{word}: {about}" for word, about in _WORDS.items())},
        {
            "type": "object",
            "properties": {"field": {"type": "string", "description": "whose value it is"}},
            "required": ["field"],
            "additionalProperties": False,
        },
    ]
}

StageKey = Annotated[
    list[str | dict[str, str]],
    BeforeValidator(_parts),
    WithJsonSchema({"anyOf": [*_PART_SCHEMA["anyOf"], {"type": "array", "items": _PART_SCHEMA, "minItems": 1}]}),
]
"""What `key:` of a stage may be: a word, `{field: …}`, or a list of those."""


def stage_key(parts: Iterable[str | Mapping[str, str]]) -> tuple[str, ...]:
    """A stage's key as `riotd.dataflow.Stage` has it."""
    return tuple(part if isinstance(part, str) else f".{part['field']}" for part in parts)


def key_text(parts: Iterable[str]) -> str:
    """The same in the words of the file."""
    said = [f"{{field: {part[1:]}}}" if part.startswith(".") else part for part in parts]
    return said[0] if len(said) == 1 else f"[{', '.join(said)}]"

"""Names for what a task writes or looks up outside, made of what a record knows; no name leads out of its store."""

import re
from collections.abc import Collection, Mapping

from riot_tasks.errors import BadRecord
from riot_tasks.record import Record, text
from riot_tasks.showing import shown

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SPECIFIED = re.compile(r"(.+?)(?::(path|base))?")
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\\\\#?%]")
"""What no level keeps: controls, halves of characters, and what URLs, Azure's tables or other systems take for more."""
_LEVEL = 200
"""Bytes of a level in UTF-8; a file's name has 255, and needs some while it is written."""
_NAME = 512
"""Characters of a name: an Azure table's keys have no more."""


class Template:
    r"""A text with placeholders for what a record knows about itself.

    `{source}`, `{id}`, `{time}` (whole milliseconds since 1970), and any field or entry of `meta` by its name.
    A value is one level of the name: its `/` become `_`. `{field:path}` keeps its levels, `{field:base}` is the last
    of them. Controls and any of `\ # ? %` become `_`, and so do an empty value, `.` and `..` as levels.

    Args:
        parameter: the task's parameter, for messages.
        template: the text.
        only: all the placeholders there are, none of them a field; what is not the record's is given to `fill`.

    Raises:
        ValueError: it is no template, or its own levels lead elsewhere.
    """

    def __init__(self, parameter: str, template: object, *, only: Collection[str] | None = None) -> None:
        if not isinstance(template, str) or not template:
            raise ValueError(f"{parameter}: must be a text like {{source}}-{{time}} (is {shown(template)})")
        pieces = _PLACEHOLDER.split(template)
        self._parameter = parameter
        self._literals = pieces[::2]
        self._parts = [self._part(piece) for piece in pieces[1::2]]
        if only and (strange := next((name for name, _ in self._parts if name not in only), None)):
            raise ValueError(
                f"{parameter}: there is no {{{strange}}} here; there is {', '.join(f'{{{one}}}' for one in only)}"
            )
        if any(mark in literal for literal in self._literals for mark in "{}"):
            raise ValueError(f"{parameter}: a brace without its partner in {template!r}; a placeholder is {{source}}")
        levels = "\0".join(self._literals).split("/")
        if not {"", ".", ".."}.isdisjoint(levels) or _UNFIT.search("".join(self._literals)):
            raise ValueError(f"{parameter}: {template!r} must not have empty levels, '.', '..' or any of \\ # ? %")

    def fill(self, record: Record, more: Mapping[str, str] | None = None) -> str:
        """The name for a record.

        Raises:
            BadRecord: it lacks a field the template asks for, or the name is too long.
        """
        filled = self._literals[0]
        for (name, kind), literal in zip(self._parts, self._literals[1:], strict=True):
            value = more[name] if more and name in more else self._value(record, name)
            filled += _safe(value, kind) + literal
        if 4 * len(filled) <= _LEVEL:  # however many bytes a character has
            return filled
        if len(filled) > _NAME or any(len(level.encode()) > _LEVEL for level in filled.split("/")):
            raise BadRecord(f"{self._parameter}: {filled[:40]}… is too long, {len(filled)} characters")
        return filled

    def _value(self, record: Record, name: str) -> str:
        if name == "source":
            return record.source
        if name == "id":
            return str(record.id)
        if name == "time":
            return str(milliseconds(record.time))
        value = record.values.get(name, record.meta.get(name))
        if value is None:
            raise BadRecord(f"{name}: has no value, and {self._parameter} needs it")
        return text(value)

    def _part(self, piece: str) -> tuple[str, str | None]:
        found = _SPECIFIED.fullmatch(piece)
        if found is None:
            raise ValueError(f"{self._parameter}: a placeholder without a name; write {{source}}")
        return found[1], found[2]


def milliseconds(time: float) -> int:
    """A record's time in whole milliseconds since 1970.

    Raises:
        BadRecord: it is no finite number.
    """
    try:
        return round(time * 1000)
    except (ValueError, OverflowError) as error:
        raise BadRecord(f"time: {time} is no time") from error


def _safe(value: str, kind: str | None) -> str:
    if value.isascii() and value.isalnum():  # nearly always, and a tenth of the time
        return value
    if kind == "path":
        return "/".join(map(_level, value.strip("/").split("/")))
    return _level(value.rstrip("/").rpartition("/")[2] if kind == "base" else value.replace("/", "_"))


def _level(value: str) -> str:
    level = _UNFIT.sub("_", value)
    return "_" if level in ("", ".", "..") else level

"""Which topic a recorded pack goes to: a template over its text fields."""

import re
from string import Formatter

import orjson

_FORBIDDEN = re.compile("[/+#\0]")
_KEPT = 65_536  # levels remembered
_SHOWN = 5
_ENTRY = re.compile(rb'"n"\s*:\s*"source"\s*,\s*"(?:vs|sv)"\s*:\s*"([^"\\]+)"')
_BASE = re.compile(rb'"bn"\s*:\s*"([^"\\]+)"')

UNKNOWN = "unknown"
"""The topic level for a field that a pack does not have: damaged packs are replayed too."""


class Topics:
    """A template such as `sensors/{source}/senml`.

    {source} is the text of the entry `source`, else the device in the base name: what is after the last `:` or `/`
    of `urn:dev:city:ci4lr75sl:` once those at its end are gone. {n} is the line's number, any other name the text
    of the entry called so. What can't stand in a topic level (`/ + #`) becomes `_`.

    Attributes:
        unnamed: packs that did not have a field the template wants.
        oddities: the first few of them in words.

    Raises:
        ValueError: the template has a wildcard, or braces that do not match.
    """

    def __init__(self, template: str) -> None:
        self.unnamed = 0
        self.oddities: list[str] = []
        parts = list(Formatter().parse(template))
        self._names = [name for _, name, _, _ in parts if name is not None]
        if not template or any(set(text) & set("+#\0") for text, *_ in parts):
            raise ValueError(f"{template!r} is no topic: it needs at least one character, and none of + # NUL")
        if any(not name or form or conversion for _, name, form, conversion in parts if name is not None):
            raise ValueError(f"{template!r}: write a field as {{source}} or {{n}}, or with another entry's name")
        self._pattern = "".join(
            text.replace("{", "{{").replace("}", "}}") + "{}" * (name is not None) for text, name, *_ in parts
        )
        self._levels: dict[str, str] = {}
        self._others = not {"source", "n"}.issuperset(self._names)

    def of(self, payload: bytes, number: int) -> str:
        """The topic of the number-th message: 1 µs; 4 where the template wants other fields than {source} and {n}."""
        if not self._names:
            return self._pattern
        texts = _texts(payload) if self._others else {"source": _source(payload)}
        texts["n"] = str(number)
        found = [self._level(texts.get(name, "")) for name in self._names]
        topic = self._pattern.format(*found)
        if UNKNOWN in found:
            self.unnamed += 1
            if len(self.oddities) < _SHOWN:
                lacking = self._names[found.index(UNKNOWN)]
                self.oddities.append(f"message {number}: has no {lacking}; sent to {topic}")
        return topic

    def _level(self, text: str) -> str:
        level = self._levels.get(text)
        if level is None:
            if len(self._levels) >= _KEPT:
                self._levels.clear()
            level = self._levels[text] = _FORBIDDEN.sub("_", text) or UNKNOWN
        return level


def _source(payload: bytes) -> str:
    """The source of a pack, mostly without decoding it; of a damaged one, too, if it can still be seen.

    A quotation mark within a JSON string has a backslash before it, so what the patterns find is no part of one.
    """
    entry = b'"source"' in payload
    if match := (_ENTRY if entry else _BASE).search(payload):
        text = match[1].decode(errors="replace")
        return text if entry else _device(text)
    return _texts(payload).get("source", "")


def _texts(payload: bytes) -> dict[str, str]:
    """The text entries of a pack by name, and its `source`; nothing if it is none."""
    try:
        pack = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    base = pack.get("bn") if isinstance(pack, dict) else None
    entries = pack.get("e") if isinstance(pack, dict) else pack
    texts: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        base = base or entry.get("bn")
        text = entry.get("vs", entry.get("sv"))
        if isinstance(text, str):
            texts.setdefault(str(entry.get("n")), text)
    if isinstance(base, str):
        texts.setdefault("source", _device(base))
    return texts


def _device(base: str) -> str:
    return re.split("[:/]", base.rstrip(":/"))[-1]

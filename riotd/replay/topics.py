"""Which topic a recorded pack goes to: a template over its text fields."""

import re
from string import Formatter

import orjson

_FORBIDDEN = re.compile("[/+#\0]")
_KEPT = 65_536  # topics remembered
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
        self._known: dict[bytes, str] = {}

    def of(self, payload: bytes, number: int) -> str:
        """The topic of the number-th message: 0.8 µs if it wants {source} only, for other fields 4."""
        if self._names == ["source"] and (match := _sighting(payload)):
            if len(self._known) >= _KEPT:
                self._known.clear()
            if (topic := self._known.get(match[0])) is None:
                topic = self._known[match[0]] = self._pattern.format(_level(_seen(match)))
            return topic
        if not self._names:
            return self._pattern.format()
        texts = _texts(payload) | {"n": str(number)}
        topic = self._pattern.format(*(_level(texts.get(name, "")) for name in self._names))
        if lacking := next((name for name in self._names if not texts.get(name)), ""):
            self.unnamed += 1
            if len(self.oddities) < _SHOWN:
                self.oddities.append(f"message {number}: has no {lacking}; sent to {topic}")
        return topic


def _level(text: str) -> str:
    return _FORBIDDEN.sub("_", text) or UNKNOWN


def _sighting(payload: bytes) -> re.Match[bytes] | None:
    """Where the source is named, found without decoding; in a damaged pack, too, if it can still be seen.

    A quotation mark within a JSON string has a backslash before it, so what the patterns find is no part of one.
    """
    return (_ENTRY if b'"source"' in payload else _BASE).search(payload)


def _seen(match: re.Match[bytes]) -> str:
    text = match[1].decode(errors="replace")
    return text if match.re is _ENTRY else _device(text)


def _texts(payload: bytes) -> dict[str, str]:
    """The text entries of a pack by name, and its `source`; of a damaged one the source, if it can be seen."""
    try:
        pack = orjson.loads(payload)
    except orjson.JSONDecodeError:
        match = _sighting(payload)
        return {"source": _seen(match)} if match else {}
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

"""A property file's settings, and what became of each of them."""

from collections.abc import Callable, Iterable, Sequence
from math import isfinite, nan
from typing import TypeVar

import msgspec

from riotd.convert.properties import Property

T = TypeVar("T")
RANGES = "FILTER.RANGE_FILTER.VALID_RANGE"


class Fate(msgspec.Struct, frozen=True):
    """What became of a setting; its value is not repeated, for it may be a secret.

    Attributes:
        line: of the property file.
        key: RIoTBench's.
        place: where it stands in the configuration, or "".
        why: why it has no place, or what to know about the one it has.
    """

    line: int
    key: str
    place: str = ""
    why: str = ""


class Settings:
    """The settings by key, the last one counting where Java has several; keeps note of what becomes of each.

    A list of ranges that goes on in the next line without a backslash, as in RIoTBench's file for FIT, is put
    together again: Java takes the second line for a key of its own.
    """

    def __init__(self, properties: Iterable[Property]) -> None:
        self._found: dict[str, Property] = {}
        self._fates: list[Fate] = []
        previous = ""
        for each in properties:
            if previous == RANGES and self._found[RANGES].value.endswith(",") and "." not in each.key:
                self._join(each)
                continue
            if each.key in self._found:
                self._settle(self._found[each.key], "", f"line {each.line} says it again, and that counts")
            self._found[each.key] = each
            previous = each.key
        self._settled: set[str] = set()

    def _join(self, rest: Property) -> None:
        begun = self._found[RANGES]
        value = f"{begun.value}{rest.key}:{rest.value}"
        self._found[RANGES] = msgspec.structs.replace(begun, value=value)
        why = f"goes on with line {begun.line}, which lacks a backslash at its end: RIoTBench never read this line"
        self._settle(rest, "stages.range.params.ranges", why)

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def peek(self, key: str) -> str:
        """A setting's value, "" without one; nothing becomes of it yet."""
        return self._found[key].value if key in self._found else ""

    def take(self, key: str, place: str, read: Callable[[str], T], why: str = "") -> T | None:
        """A setting's value, put in its place; None where the file has none, or none that makes sense."""
        if not self.peek(key):
            return None
        try:
            value = read(self.peek(key))
        except ValueError as error:
            self.leave(key, f"{error}, so riotd's default counts")
            return None
        self.put(key, place, why)
        return value

    def put(self, key: str, place: str, why: str = "") -> None:
        """A setting stands in this place now."""
        if key in self._found and key not in self._settled:
            self._settled.add(key)
            self._settle(self._found[key], place, why)

    def leave(self, key: str, why: str) -> None:
        """A setting has no place."""
        self.put(key, "", why)

    def unsettled(self) -> list[str]:
        """Keys of which nothing has become yet, in the file's order."""
        return [key for key in self._found if key not in self._settled]

    def fates(self) -> list[Fate]:
        """What became of every setting, in the file's order."""
        return sorted(self._fates, key=lambda fate: fate.line)

    def _settle(self, what: Property, place: str, why: str) -> None:
        self._fates.append(Fate(what.line, what.key, place, why))


def names(text: str) -> list[str]:
    """A list of names, with commas between.

    Raises:
        ValueError: there is none.
    """
    found = list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    if not found or found == ["0"]:
        raise ValueError("is no list of names")
    return found


def number(text: str) -> float | int:
    """A number; a whole one stays whole.

    Raises:
        ValueError: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise ValueError("is no number")
    return int(value) if value.is_integer() else value


def real(text: str) -> float:
    """A number.

    Raises:
        ValueError: it is none.
    """
    return float(number(text))


def count(text: str) -> int:
    """A whole number above 0.

    Raises:
        ValueError: it is something else.
    """
    value = number(text)
    if not isinstance(value, int) or value < 1:
        raise ValueError("is no whole number above 0")
    return value


def ranges(text: str) -> dict[str, list[float | int]]:
    """A list of field:lowest:highest; entries that are malformed are left out, as RIoTBench does.

    Raises:
        ValueError: not one of them is right.
    """
    found = {}
    for entry in text.split(","):
        field, *bounds = map(str.strip, entry.split(":"))
        try:
            low, high = map(number, bounds)
        except ValueError:
            continue
        if field and low <= high:
            found[field] = [low, high]
    if not found:
        raise ValueError("has no entry of the form field:lowest:highest")
    return found


def first(*lists: Sequence[str] | None) -> list[str]:
    """The first list that has something in it."""
    return next((list(each) for each in lists if each), [])

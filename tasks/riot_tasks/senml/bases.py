"""Base fields in force, and what they make of an entry (RFC 8428 sections 4.1 and 4.5)."""

import re
from base64 import b64decode
from reprlib import repr as shortened

from msgspec import UNSET

from riot_tasks.record import Value
from riot_tasks.senml.names import TAILS, is_name, is_tail
from riot_tasks.senml.numbers import RELATIVE, narrow, number, seconds
from riot_tasks.senml.wire import Entry

VERSION = 10
"""The version of SenML that RFC 8428 defines; packs of a later one must not be used (section 4.4)."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


Part = tuple[str, str, float, Value, str, int | float | None, int | float | None]
"""One observation: base name, name, time, value, unit, sum, update time. A bare tuple: 0.2 µs less than a named one."""


class Bases:
    """The base fields that hold at one place of a pack."""

    def __init__(self, now: float, *, draft: bool) -> None:
        self._now = now
        self._draft = draft
        self._name = ""
        self._time: int | float = 0.0
        self._resolved_time = now
        self._unit = ""
        self._value: int | float | None = None
        self._sum: int | float | None = None
        self._version = VERSION

    def take(self, entry: Entry, *, first: bool) -> None:
        """Let the base fields of an entry hold from here on.

        Raises:
            ValueError: one of them is wrong; names it.
        """
        if entry.bn is not UNSET:
            self._name = entry.bn
            if entry.bn and not is_name(entry.bn):
                raise ValueError(_bad_name("bn", entry.bn))
        if entry.bt is not UNSET:
            self._time = _number("bt", entry.bt)
            self._resolved_time = self._absolute("bt", self._time)
        if entry.bu is not UNSET:
            self._unit = entry.bu
        if entry.bv is not UNSET and not (self._draft and isinstance(entry.bv, bool)):
            self._value = _number("bv", entry.bv)
        if entry.bs is not UNSET:
            self._sum = _number("bs", entry.bs)
        if entry.bver is not UNSET:
            self._check_version(entry.bver, first=first)

    def apply(self, entry: Entry) -> Part:
        """The observation that an entry is under these bases.

        Raises:
            ValueError: it is none; says why.
        """
        name = "" if entry.n is UNSET else entry.n
        if name not in TAILS or not self._name:
            self._check_name(name)
        value = self._value_of(entry)
        time = self._resolved_time if entry.t is UNSET else self._absolute("t", self._time + _number("t", entry.t))
        unit = self._unit if entry.u is UNSET else entry.u
        total = None if entry.s is UNSET and self._sum is None else self._sum_of(entry, value)
        update = None if entry.ut is UNSET else _number("ut", entry.ut)
        if name == self._name:  # a field called like the base name is read as the base name alone
            return "", name + name, time, value, unit, total, update
        return self._name, name, time, value, unit, total, update

    def _check_version(self, version: int, *, first: bool) -> None:
        if not 1 <= version <= VERSION:
            raise ValueError(f"bver: SenML version {version} is not understood, only 1 to {VERSION}")
        if not first and version != self._version:
            raise ValueError(f"bver: version {version} in a pack of version {self._version}")
        self._version = version

    def _check_name(self, name: str) -> None:
        if not name and not self._name:
            raise ValueError("n: missing, and there is no base name (bn)")
        if name and not (is_tail(name) if self._name else is_name(name)):
            raise ValueError(_bad_name("n", name))

    def _absolute(self, label: str, time: float) -> float:
        try:
            time = seconds(time)
        except ValueError as error:
            raise ValueError(f"{label}: {error}") from None
        return time if time >= RELATIVE else self._now + time

    def _value_of(self, entry: Entry) -> Value:
        value: Value = None
        given = 0
        if entry.v is not UNSET:
            value = _number("v", entry.v) if self._value is None else _added("v", self._value, entry.v)
            given += 1
        if entry.sv is not UNSET:
            value = str(entry.sv)
            given += 1
        if entry.vs is not UNSET:
            value = entry.vs
            given += 1
        if entry.vb is not UNSET:
            value = entry.vb
            given += 1
        if entry.vd is not UNSET:
            value = _octets(entry.vd)
            given += 1
        if entry.bv is not UNSET and self._draft and isinstance(entry.bv, bool):
            value = entry.bv
            given += 1
        if given == 1:
            return value
        return self._stand_in(entry, given)

    def _stand_in(self, entry: Entry, given: int) -> Value:
        """The value of an entry that does not have exactly one."""
        if given:
            raise ValueError("more than one of v, vs, vb, vd")
        if entry.s is not UNSET:
            return None
        if self._value is None and self._sum is None:
            raise ValueError("v: missing, and there is no vs, vb, vd or s instead")
        return self._value

    def _sum_of(self, entry: Entry, value: Value) -> int | float | None:
        """The sum, if the entry has one; a base sum alone is none for text, booleans and bytes."""
        if entry.s is not UNSET:
            return _number("s", entry.s) if self._sum is None else _added("s", self._sum, entry.s)
        return None if isinstance(value, str | bool | bytes) else self._sum


def _number(label: str, raw: float | str) -> int | float:
    if type(raw) is float or type(raw) is int:
        return raw
    try:
        return number(str(raw))
    except ValueError:
        raise ValueError(f"{label}: {shortened(raw)} is not a number") from None


def _added(label: str, base: float, raw: float | str) -> int | float:
    value = _number(label, raw)
    try:
        return narrow(base + value)
    except ValueError as error:
        raise ValueError(f"{label}: {error}") from None


def _octets(text: str) -> bytes:
    """The bytes of base64url without padding; padding is tolerated."""
    digits = text.rstrip("=")
    if not _BASE64URL.fullmatch(digits) or len(digits) % 4 == 1:
        raise ValueError("vd: not base64url (RFC 4648 section 5)")
    return b64decode(digits + "=" * (-len(digits) % 4), altchars=b"-_")


def _bad_name(label: str, name: str) -> str:
    return f"{label}: {shortened(name)} is not a SenML name: only A-Z a-z 0-9 - : . / _, the first a letter or digit"

"""A row's values as JSON: what they are comes back, bytes too."""

import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson

from riot_tasks.errors import BadRecord
from riot_tasks.record import Value

_HUGE = sys.float_info.max
_BYTES = "base64"
"""Bytes are {"base64": "…"}: no other value is an object."""


def stored(values: Mapping[str, Value]) -> dict[str, Value]:
    """The values without those that are None, which no store keeps.

    Raises:
        BadRecord: one can't be stored anywhere: no finite number, one of more than 64 bits, a text that is no
            Unicode; names the field.
    """
    kept: dict[str, Value] = {name: value for name, value in values.items() if value is not None}
    for name, value in kept.items():
        fit = -_HUGE <= value <= _HUGE if type(value) is float else type(value) is str and value.isascii()
        if fit and name.isascii():  # nearly all
            continue
        if reason := _unfit(value) or _unfit(name):
            raise BadRecord(f"{name.encode(errors='replace').decode()}: {reason} can't be stored")
    return kept


def encode(values: Mapping[str, Value]) -> str:
    """What `stored` gave, as JSON."""
    return orjson.dumps(values, default=_wrapped).decode()


def decode(text: str) -> dict[str, Value]:
    """The values that `encode` made a text of."""
    cells: dict[str, Any] = orjson.loads(text)
    return {name: b64decode(cell[_BYTES]) if type(cell) is dict else cell for name, cell in cells.items()}


def _wrapped(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {_BYTES: b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} is no value")


def _unfit(value: Value) -> str:
    if type(value) is float and not isfinite(value):
        return str(value)
    if type(value) is int and not -(2**63) <= value < 2**63:
        return f"an integer of {value.bit_length()} bits"
    return "a text that is no Unicode" if type(value) is str and not value.isascii() and _torn(value) else ""


def _torn(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False

"""Names and values as mistakes say them."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches


def meant(name: str, known: Sequence[str]) -> str:
    """A suggestion for a name that is not known: the nearest, else what there is."""
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(known)}" if known else ""


def text(value: object) -> str:
    """A value as YAML would say it, not longer than a line."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}…{said[-1]}"

"""Between documents and their text, and from the places where texts are kept."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import msgspec

from riot_tasks.models.documents import FORMAT, LinearModel, TreeModel

KINDS: dict[str, type[LinearModel | TreeModel]] = {"linear_regression": LinearModel, "decision_tree": TreeModel}
"""What the key `kind` may say, to the documents of that kind."""


class _Head(msgspec.Struct):
    """What decides whether the rest can be read."""

    kind: str
    format: int


def load(place: str | Mapping[str, Any]) -> LinearModel | TreeModel:
    """The model kept at a place: a document as it stands in a config, or the path of a file with its text.

    Raises:
        ValueError: it can't be read, or is no model; names the place.
    """
    text = _fetched(place) if isinstance(place, str) else _encoded(place)
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{place!r}: {error}" if isinstance(place, str) else str(error)) from error


def read(text: str | bytes) -> LinearModel | TreeModel:
    """The model in a document's text.

    Raises:
        ValueError: it is no model, of a kind that is not known, or of a newer format; says what is wrong where.
    """
    return _read(text.encode(errors="replace") if isinstance(text, str) else bytes(text))


def write(model: LinearModel | TreeModel) -> str:
    """The document's text, JSON in one line."""
    return msgspec.json.encode(model).decode()


@lru_cache(maxsize=16)  # each device has a task of its own, and all of them the same frozen model
def _read(text: bytes) -> LinearModel | TreeModel:
    kind = kind_of(text, "model", FORMAT)
    try:
        return msgspec.json.decode(text, type=KINDS[kind])
    except msgspec.DecodeError as error:
        raise ValueError(f"no model: {str(error)[:300]}") from error
    except RecursionError:
        raise ValueError("no model: nested too deeply") from None


def kind_of(text: bytes, what: str, newest: int) -> str:
    """The kind that a text speaks of, if the rest of it can be read.

    Args:
        text: of a `what`, in JSON.
        what: model, or notice.
        newest: the newest format of it that is known.

    Raises:
        ValueError: it has no kind, one that is not known, or is of a newer format.
    """
    try:
        head = msgspec.json.decode(text, type=_Head)
    except msgspec.DecodeError as error:
        raise ValueError(f"no {what}: {str(error)[:300]}") from error
    except RecursionError:
        raise ValueError(f"no {what}: nested too deeply") from None
    if head.kind not in KINDS:
        raise ValueError(f"kind {shortened(head.kind)}: this riot_tasks knows {' and '.join(KINDS)}")
    if not 1 <= head.format <= newest:
        raise ValueError(f"format {head.format}: this riot_tasks reads up to {newest}; upgrade it")
    return head.kind


def _fetched(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte in it
        why = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path!r} can't be read: {why}; give the path of a model's file") from error


def _encoded(document: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(document)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"no model: {error}") from error

"""Notices: what is told about a model that has been made, small enough for a topic of its own.

The model itself stays where it was put; whoever hears the notice fetches it there.
"""

from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from riot_tasks.models.documents import Metrics, Name, Training
from riot_tasks.models.reading import kind_of, read

NOTICE_FORMAT = 1
"""The newest layout of notices that is known here, as their key `format` says."""
MAX_SHADOW = 2**31 - 1
"""Messages that a model may score beside the old one, at most."""

_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Notice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One model, and where it is.

    Attributes:
        format: layout of the notice, at most `NOTICE_FORMAT`.
        model: name of the blob with the document.
        kind: of the document: `linear_regression` or `decision_tree`.
        version: what the model is called.
        target: the field it foretells.
        features: the fields it may look at.
        sha256: of the blob, in hexadecimal digits: another content is not this model.
        trained: what it was made from, if that is known.
        metrics: how good it was then, by name.
        shadow: messages for which it scores beside the model in use before it takes over; 0 is at once, None is
            whatever those who use it do.
    """

    format: int
    model: Annotated[str, Meta(min_length=1, max_length=512)]
    kind: str
    version: Name
    target: Name
    features: list[Name]
    sha256: _Digest
    trained: Training | None = None
    metrics: Metrics = {}
    shadow: Annotated[int, Meta(ge=0, le=MAX_SHADOW)] | None = None

    def encode(self) -> bytes:
        """The notice as JSON in one line."""
        return msgspec.json.encode(self)


def notice(text: str | bytes, blob: str, *, shadow: int | None = None) -> Notice:
    """The notice of a model.

    Args:
        text: the document as it was put into the blob.
        blob: the blob's name.
        shadow: as in `Notice`.

    Raises:
        ValueError: the text is no model, or the name no name of a blob.
    """
    model, content = read(text), text.encode() if isinstance(text, str) else bytes(text)
    made = Notice(
        format=NOTICE_FORMAT,
        model=blob,
        kind=model.kind,
        version=model.version,
        target=model.target,
        features=model.features,
        sha256=sha256(content).hexdigest(),
        trained=model.training,
        metrics=model.metrics,
        shadow=shadow,
    )
    return read_notice(made.encode())  # a struct made in Python is not checked


def read_notice(text: str | bytes) -> Notice:
    """The notice in a text.

    Raises:
        ValueError: it is none, of a kind of model that is not known, or of a newer format; says what is wrong where.
    """
    data = text.encode(errors="replace") if isinstance(text, str) else bytes(text)
    kind_of(data, "notice", NOTICE_FORMAT)
    try:
        return msgspec.json.decode(data, type=Notice)
    except msgspec.DecodeError as error:
        raise ValueError(f"no notice: {str(error)[:300]}") from error

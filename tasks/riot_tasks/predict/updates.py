"""Updates: records that bring a model, as `blob_download` gives them behind `notice_parse`, or a trainer itself.

Beside the field with the document they may have `kind`, `version` and `sha256`, which it must agree with, and `shadow`.
"""

from hashlib import sha256

from riot_tasks import models
from riot_tasks.models.notices import MAX_SHADOW
from riot_tasks.models.reading import KINDS
from riot_tasks.record import Record
from riot_tasks.record import text as as_text

_LONGEST = 200
"""Characters of a version."""


def is_for(record: Record, kind: str) -> bool:
    """Whether an update is of this kind of model, or does not say."""
    said = record.values.get("kind")
    return said == kind or said not in KINDS


def called(record: Record) -> str:
    """The version that an update says it brings; "" if it says none."""
    said = record.values.get("version")
    return "" if said is None else as_text(said).encode(errors="replace").decode()[:_LONGEST]


def brought(record: Record, field: str) -> models.LinearModel | models.TreeModel:
    """The model that an update brings in a field.

    Raises:
        ValueError: it brings none, one of a later format, or another than it says: the blob is torn, or was replaced.
    """
    values = record.values
    text = values[field]
    if not isinstance(text, str | bytes):
        raise ValueError(f"{field}: holds no model" + ("" if text is None else f", but a {type(text).__name__}"))  # noqa: TRY004 - a record's fault
    expected = values.get("sha256")
    if expected is not None:
        content = text.encode(errors="replace") if isinstance(text, str) else text
        if sha256(content).hexdigest() != expected:
            raise ValueError(f"{field}: its {len(content)} bytes are not those that sha256 is of: torn, or replaced")
    try:
        model = models.read(text)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error
    if (version := called(record)) and version != model.version:
        raise ValueError(f"{field}: the model is called {model.version}, not {version}")
    return model


def trial(record: Record) -> int | None:
    """The messages for which an update wants its model to be tried; None if it does not say.

    Raises:
        ValueError: it is no such number.
    """
    said = record.values.get("shadow")
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= MAX_SHADOW or said % 1:
        raise ValueError(f"shadow: must be a whole number from 0 to {MAX_SHADOW}")
    return int(said)

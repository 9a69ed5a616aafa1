"""Models that are kept: which there are in a store, under which names, the newest first.

There is no index that writers could spoil for each other: what is there is what the store lists.
"""

import re
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from riot_tasks.errors import BadRecord
from riot_tasks.models.documents import LinearModel, TreeModel
from riot_tasks.models.notices import Notice, notice
from riot_tasks.models.reading import read, write
from riot_tasks.stores import blobs
from riot_tasks.stores.credentials import Reference
from riot_tasks.stores.credentials import credentials as referred
from riot_tasks.stores.lanes import side_by_side

MAX_BYTES = 16 * 1024 * 1024
"""A blob that is longer is no model."""
_SUFFIX = ".json"
_UNFIT = re.compile(r"[^\w.\-]")
_LEVEL = 200
"""Bytes of one level of a name, as for other blobs."""


class Entry(Struct, frozen=True):
    """One model that is kept.

    Attributes:
        name: of its blob.
        kind: `linear_regression` or `decision_tree`.
        target: the field it foretells.
        version: what it is called.
        created: when it was made, Unix seconds; where the document does not say so, the time of the latest row it was
            made of, or 0.
        rows: how many rows that was; 0 if it is not known.
        metrics: how good it was, by name.
        sha256: of the blob, in hexadecimal digits.
    """

    name: str
    kind: str
    target: str
    version: str
    created: float
    rows: int
    metrics: dict[str, float]
    sha256: str


class Registry:
    """The models below a URL, as `<prefix>/<kind>/<target>/<version>.json`; making one connects to nothing.

    Several may write at the same time. A dataflow writes there too: `blob_upload` with such a name.

    Args:
        store: as for `blob_upload`: `file:///folder`, `memory://name`, `az://`, `s3://`, `gs://`.
        prefix: levels to put in front, joined by `/`; "" is none.
        credentials: {file: path} or {credential: name}; None is the environment.

    Raises:
        ValueError: one of these is wrong; begins with its name.
    """

    def __init__(self, store: str, prefix: str = "", credentials: Reference | None = None) -> None:
        self.credentials = referred(credentials)
        blobs.check(store, credentials)
        self.store = store
        if _UNFIT.search(prefix.replace("/", "")) or (prefix and not {"", ".", ".."}.isdisjoint(prefix.split("/"))):
            raise ValueError(f"prefix: {prefix!r} must be levels of letters, digits, '_', '-' and '.', joined by '/'")
        self.prefix = prefix

    def put(
        self, model: LinearModel | TreeModel, *, metrics: dict[str, float] | None = None, created: float | None = None
    ) -> Entry:
        """Keep a model; the same one twice is kept once.

        Args:
            model: it.
            metrics: to be noted beside those it has.
            created: when it was made, Unix seconds, if it does not say so; of one kept twice the first time counts.

        Raises:
            ValueError: another model of its kind, target and version is there, or it can't be read again: its metrics
                are no finite numbers.
            Unavailable: the store can't be reached, or does not let us in.
        """
        noted = replace(
            model,
            metrics={**model.metrics, **(metrics or {})},
            created=created if model.created is None else model.created,
        )
        text = write(noted).encode()
        read(text)  # a struct made in Python is not checked
        name = self.name(noted)
        found = self._text(name)
        if found is None:
            self._blobs().put(name, text)
        elif replace(read(found), created=None) != replace(noted, created=None):
            raise ValueError(f"version: another {noted.version} is at {self._blobs().url(name)}; give it its own name")
        return _entry(name, found or text)

    def entries(self, kind: str | None = None, target: str | None = None) -> list[Entry]:
        """What is kept, the newest first; only of this kind and target, where they are given.

        A blob that is no model, or one of a later format, is left out: it can't be used.

        Raises:
            Unavailable: the store can't be reached, or does not let us in.
        """
        levels = [self.prefix, kind or "", _level(target) if kind and target else ""]
        place, store = "/".join(filter(None, levels)), self._blobs()
        names = sorted(name for name, size in store.list(place) if name.endswith(_SUFFIX) and size <= MAX_BYTES)
        found = side_by_side(self._found, names, store.readers)
        entries = [
            each
            for each in found
            if isinstance(each, Entry) and kind in (None, each.kind) and target in (None, each.target)
        ]
        return sorted(entries, key=lambda entry: (entry.created, entry.version), reverse=True)

    def latest(self, kind: str, target: str) -> Entry | None:
        """The newest for a purpose; None if there is none. Errors as `entries`."""
        return next(iter(self.entries(kind, target)), None)

    def read(self, entry: Entry | str) -> LinearModel | TreeModel:
        """A model that is kept, by its entry or its name.

        Raises:
            ValueError: there is none of this name, it can't be read, or it is not the one of the entry any more.
            Unavailable: the store can't be reached, or does not let us in.
        """
        return read(self._kept(entry))

    def notice(self, entry: Entry | str, *, shadow: int | None = None) -> Notice:
        """What to tell about a model that is kept; `shadow` as in `Notice`. Errors as `read`."""
        name = entry if isinstance(entry, str) else entry.name
        return notice(self._kept(entry), name, shadow=shadow)

    def name(self, model: LinearModel | TreeModel) -> str:
        """The name that a model has here.

        Raises:
            ValueError: its version or target is too long.
        """
        levels = [model.kind, _level(model.target), _level(model.version) + _SUFFIX]
        if any(len(level.encode()) > _LEVEL for level in levels):
            raise ValueError(f"version: {model.version[:40]}… or its target is too long for the name of a blob")
        return "/".join([*filter(None, [self.prefix]), *levels])

    def _kept(self, entry: Entry | str) -> bytes:
        name = entry if isinstance(entry, str) else entry.name
        text = self._text(name)
        if text is None:
            raise ValueError(f"there is no model {self._blobs().url(name)}")
        if isinstance(entry, Entry) and sha256(text).hexdigest() != entry.sha256:
            raise ValueError(f"{self._blobs().url(name)} is not what it was any more")
        return text

    def _found(self, name: str) -> Entry | None:
        """The entry of this name, if it is a model."""
        try:
            text = self._text(name)
            return None if text is None else _entry(name, text)  # None: gone since it was listed
        except ValueError:
            return None

    def _text(self, name: str) -> bytes | None:
        try:
            return self._blobs().get(name, max_bytes=MAX_BYTES)
        except BadRecord as error:  # too long
            raise ValueError(str(error)) from error

    def _blobs(self) -> blobs.Blobs:
        return blobs.blobs(self.store, self.credentials)


def _entry(name: str, text: bytes) -> Entry:
    model = read(text)
    training = model.training
    made = model.created if model.created is not None else training and training.until
    rows = training.rows if training else 0
    digest = sha256(text).hexdigest()
    return Entry(name, model.kind, model.target, model.version, made or 0.0, rows, dict(model.metrics), digest)


def _level(value: str) -> str:
    level = _UNFIT.sub("_", value)
    return "_" if level in ("", ".", "..") else level

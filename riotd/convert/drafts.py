"""Stages while they are being filled from settings, and the graph of those that can be made."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath, PurePosixPath
from typing import TypeVar
from urllib.parse import quote

import msgspec

from riotd.convert.datasets import DATASETS, Dataset
from riotd.convert.settings import Settings, first, names, ranges

T = TypeVar("T")
_ID = "PARSE.ID_FIELD_SCHEMA"
_CONTAINER = "IO.AZURE_BLOB.CONTAINER_NAME"


class Given(msgspec.Struct, frozen=True):
    """What a dataflow is made of.

    Attributes:
        settings: of the property file.
        called: what the feed is called where it is none of RIoTBench's.
        here: where a file of the authors' machine is now, by its path there; None if it is not here.
        folder: path of the folder for blobs and tables.
    """

    settings: Settings
    called: str
    here: Callable[[str], str | None]
    folder: str

    @property
    def id(self) -> str:
        """The column that says which device it is."""
        return self.settings.peek(_ID)

    @property
    def name(self) -> str:
        """What the feed is called."""
        return self.dataset.name if self.dataset else self.called

    @property
    def dataset(self) -> Dataset | None:
        """Which of RIoTBench's data sets it is; None if it is none of them."""
        return DATASETS.get(self.id)

    def blobs(self, draft: "Draft") -> "Draft":
        """Let a stage write to the container that the settings name, which is a folder here."""
        container = self.settings.peek(_CONTAINER)
        path = quote(str(PurePosixPath(self.folder, container or "blobs")))
        return draft.set("store", f"file://{path}", _CONTAINER, "a folder here; for Azure write az://container")

    def measured(self) -> list[str]:
        """The measured columns: the data set's, else all that the settings name."""
        known = self.dataset.observed if self.dataset else ()
        return first(known, self._named())

    def _named(self) -> list[str]:
        found: dict[str, None] = dict.fromkeys(_tried(ranges, self.settings.peek("FILTER.RANGE_FILTER.VALID_RANGE")))
        for key in ("AGGREGATE.BLOCK_AVERAGE.USE_MSG_FIELD", "STATISTICS.KALMAN_FILTER.USE_MSG_FIELDLIST"):
            found.update(dict.fromkeys(_tried(names, self.settings.peek(key))))
        return list(found)


def _tried(read: Callable[[str], Iterable[str]], text: str) -> Iterable[str]:
    try:
        return read(text)
    except ValueError:
        return ()


class Draft:
    """A stage to be.

    Args:
        given: what it is made of.
        id: its name.
        task: what it runs.
        after: ids of the stages it takes from; none for the messages themselves.
        about: what to know about it.

    Attributes:
        params: of the task, so far.
        origins: parameter to the key it comes from.
        lacks: why it can't be run yet, or "".
    """

    def __init__(self, given: Given, id: str, task: str, after: Sequence[str], *about: str) -> None:  # noqa: A002 - a stage's own key
        self.id, self.task, self.after, self.about = id, task, list(after), list(about)
        self.params: dict[str, object] = {}
        self.origins: dict[str, str] = {}
        self.lacks = ""
        self._given = given

    def place(self, parameter: str) -> str:
        """The parameter's place in the configuration."""
        return f"stages.{self.id}.params.{parameter}"

    def set(self, parameter: str, value: object, key: str = "", why: str = "") -> "Draft":
        """Give a parameter a value that no setting has, or that follows from one."""
        self.params[parameter] = value
        if key in self._given.settings:
            self._given.settings.put(key, self.place(parameter), why)
            self.origins[parameter] = key
        return self

    def take(self, parameter: str, key: str, read: Callable[[str], T], why: str = "") -> T | None:
        """Give a parameter a setting's value, if there is one that makes sense; the value."""
        value = self._given.settings.take(key, self.place(parameter), read, why)
        if value is not None:
            self.params[parameter] = value
            self.origins[parameter] = key
        return value

    def file(self, parameter: str, key: str, *, lacking: str = "") -> bool:
        """Give a parameter the file that a setting names, wherever that is now; False if it is not here."""
        path = self._given.settings.peek(key).partition(",")[0].strip()
        if not path:
            self.lacks = self.lacks or f"{key} names no file"
            return False
        place = self._given.here(path)
        if place is None:
            name = PurePath(path).name
            self.lacks = self.lacks or f"{name} is not here" + (f": {lacking}" if lacking else "")
            self._given.settings.leave(key, f"a path of the authors' machine, and no {name} is here")
            return False
        self.set(parameter, place, key)
        return True


def wired(drafts: Sequence[Draft]) -> None:
    """Let stages behind one that can't be run take from those before it; each stands after those it takes from."""
    instead: dict[str, list[str]] = {}
    for draft in drafts:
        draft.after = reachable(draft.after, instead)
        if draft.lacks:
            instead[draft.id] = draft.after


def reachable(wanted: Iterable[str], instead: dict[str, list[str]]) -> list[str]:
    """The stages to take from, those that can't be run replaced by what they take from."""
    found = (name for stage in wanted for name in instead.get(stage, [stage]))
    return list(dict.fromkeys(found))

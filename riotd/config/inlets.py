"""Several sources by name, or a single one: where messages come from, each with the key in force."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from pydantic import Field

from riotd.config.connection import Block
from riotd.config.inputs import FileSource, MqttSource
from riotd.config.keying import Key, SourceKey
from riotd.config.timers import TimerSource

AnySource = MqttSource | FileSource | TimerSource
"""A source, in either form."""


def _or_every(schema: dict[str, Any]) -> None:
    """The word, which a validator reads, for editors."""
    schema["anyOf"].insert(0, {"const": "every"})


class Entry(Block):
    """What a source among several has besides.

    Attributes:
        key: which device its messages are of, or `every`: each goes to every shard; default the top-level key, and none
            for a timer.
    """

    key: SourceKey | None = Field(default=None, json_schema_extra=_or_every)


class MqttEntry(MqttSource, Entry):
    """Subscriptions on a broker, as one of several sources."""


class FileEntry(FileSource, Entry):
    """Lines of files, as one of several sources."""


class TimerEntry(TimerSource, Entry):
    """Ticks, as one of several sources; without a key of their own they share one."""


AnyEntry = Annotated[MqttEntry | FileEntry | TimerEntry, Field(discriminator="type")]
"""What an entry of `sources:` may be."""

SourceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]


class Inlet(msgspec.Struct, frozen=True):
    """A source with what holds for it.

    Attributes:
        name: in `sources:`; "" if it is the single `source:`.
        block: the source.
        key: in force: its own, or the top-level one; a timer without one of its own has none.
        own: whether it is its own, or would be: there is no top-level one.
    """

    name: str
    block: AnySource
    key: Key
    own: bool = False

    @property
    def where(self) -> str:
        """Its path in the file."""
        return f"sources.{self.name}" if self.name else "source"

    @property
    def key_where(self) -> str:
        """The path of its key."""
        return f"{self.where}.key" if self.own else "key"

    @property
    def every(self) -> bool:
        """Whether each message goes to every shard."""
        return isinstance(self.key, SourceKey) and self.key.every


def inlets(sources: Mapping[str, AnySource | None], key: Key) -> list[Inlet]:
    """The sources that are right in themselves, in the file's order.

    Args:
        sources: by name, the single one under ""; None for one that is wrong.
        key: the top-level one.
    """
    return [_inlet(name, block, key) for name, block in sources.items() if block is not None]


def _inlet(name: str, block: AnySource, key: Key) -> Inlet:
    own: Key | None = block.key if isinstance(block, Entry) else None
    if own is None and isinstance(block, TimerSource):
        own = Key()  # a tick is of no device
    return Inlet(name, block, key if own is None else own, own is not None or (name != "" and key == Key()))

"""Which shard a message goes to: its key, the key's group, the group's shard."""

import re
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple
from zlib import crc32

import msgspec

from riot_tasks import BadRecord, senml
from riotd.messages import Batch, Message, Portion
from riotd.placement import EVERYWHERE, GROUPS, placed

_REMEMBERED = 65_536
"""Topics whose key and key-group are kept; past it the older half is forgotten."""

KeyOf = Callable[[Message], str]


def key_group(key: str) -> int:
    """The group of a key: crc32 of its UTF-8 bytes, modulo 128. The same in every process, on every machine."""
    return crc32(key.encode()) % GROUPS


def by_topic_level(level: int) -> KeyOf:
    """The key is a level of the topic, counted from 0; "" where the topic is shorter."""

    def key(message: Message) -> str:
        levels = message.topic.split("/", level + 1)
        return levels[level] if level < len(levels) else ""

    return key


def by_topic_regex(pattern: str) -> KeyOf:
    """The key is the first group of the pattern found in the topic, or all it matched; "" where it matches nothing."""
    search = re.compile(pattern).search

    def key(message: Message) -> str:
        found = search(message.topic)
        return "" if found is None else (found[1] if found.re.groups else found[0]) or ""

    return key


class _Entry(msgspec.Struct, gc=False):
    """As much of a SenML entry as a key needs."""

    n: str = ""
    vs: str | None = None
    sv: str | None = None
    v: float | int | str | None = None


class _Draft(msgspec.Struct, gc=False):
    """RIoTBench's older form: entries below `e`."""

    e: list[_Entry] = []


def by_field(name: str) -> KeyOf:
    """The key is the value of a SenML entry; "" where the pack has none, or is no pack: its parse stage will say so.

    A pack in CBOR is read as the JSON it stands for, at eight times the cost: 10 µs.
    """
    decode = msgspec.json.Decoder(_Draft | list[_Entry]).decode

    def key(message: Message) -> str:
        payload = message.payload
        try:
            pack = decode(senml.from_cbor(payload) if senml.is_cbor(payload) else payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, BadRecord):
            return ""
        for entry in pack.e if isinstance(pack, _Draft) else pack:
            if entry.n == name:
                value = entry.vs if entry.vs is not None else entry.sv if entry.sv is not None else entry.v
                return "" if value is None else str(value)
        return ""

    return key


def one_key(_message: Message) -> str:
    """All messages have the key ""."""
    return ""


class Keying(NamedTuple):
    """How the messages of one source get their keys.

    Attributes:
        key_of: the key of a message; None hands each message to every shard.
        per_topic: whether the key depends on the topic alone, so that it can be remembered.
    """

    key_of: KeyOf | None
    per_topic: bool = True


class Partitioner:
    """Splits batches over shards.

    Args:
        keyings: of each source, in the order of `Message.origin`.
        shards: how many there are, 1 to 128.
        topics: whether shards need the messages' topics.

    Attributes:
        placement: where the key-groups are; may be replaced between two batches.
    """

    def __init__(self, *keyings: Keying, shards: int, topics: bool = False) -> None:
        self.placement = placed(shards)
        self.topics = topics
        self._keyings = keyings
        self._known: list[dict[str, tuple[str, int]]] = [{} for _ in keyings]

    def shard_of(self, key: str) -> int:
        """The shard of a key."""
        return self.placement.table[key_group(key)]

    def split(self, batch: Batch, now: float) -> dict[int, Portion]:
        """The batch's portions by shard, messages in order; `now` is Unix seconds.

        What goes to every shard is mute in all but the first.
        """
        portions: dict[int, Portion] = {}
        number, beside = batch.first, self.topics or len(self._keyings) > 1
        shards, table, told = self.placement.shards, self.placement.table, self.placement.told
        for message in batch.messages:
            key, group = self._place(message)
            for each in range(shards) if group == EVERYWHERE else (table[group],):
                portion = portions.get(each)
                if portion is None:
                    portion = portions[each] = Portion(batch.id, now, [], [], [], shards=shards, table=told)
                portion.ids.append(number)
                portion.keys.append(key)
                portion.payloads.append(message.payload)
                if beside:
                    self._tell(portion, message)
                if group == EVERYWHERE and each:
                    portion.mute.append(number)
            number += 1
        return portions

    def _tell(self, portion: Portion, message: Message) -> None:
        """What shards need only in some plans."""
        if self.topics:
            portion.topics.append(message.topic)
        if len(self._keyings) > 1:
            portion.origins.append(message.origin)

    def _place(self, message: Message) -> tuple[str, int]:
        """A message's key and key-group."""
        key_of, per_topic = self._keyings[message.origin]
        if key_of is None:
            return "", EVERYWHERE
        if not per_topic:
            key = key_of(message)
            return key, key_group(key)
        remembered = self._known[message.origin]
        known = remembered.get(message.topic)
        if known is None:
            key = key_of(message)
            known = remembered[message.topic] = (key, key_group(key))
            if len(remembered) > _REMEMBERED:
                for topic in list(islice(remembered, _REMEMBERED // 2)):
                    del remembered[topic]
        return known

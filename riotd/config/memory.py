"""How one budget of bytes is shared out among what the daemon holds of messages.

A part that the file gives is taken as it is; the others are shares of the whole, so that one number is enough.
"""

from collections.abc import Sequence

import msgspec

from riotd.config.blocks import Config
from riotd.config.inlets import AnySource
from riotd.config.inputs import FileSource, MqttSource
from riotd.units import size_text

_USUAL = 256 * 2**20
"""Bytes, where the file gives no budget and its parts need no more."""
_BUFFERS, _CREDIT, _RESULTS = 32, 16, 16
"""Of the whole, the share of all sources' buffers, of what is in flight, of results on their way: one part in so many.
Of the usual 256 MiB that is 8, 16 and 16: after a sink stood still for 20 s in 1,000,000 messages memory was 1.05 of
before, with twice as much 1.75."""
BESIDE = 4096
"""Bytes a message in flight takes beside its payload, see `riotd.ledger`."""
_LEAST = 128 * 1024
"""Bytes of the smallest buffer."""
_KNOWN = 12 * 2**20
"""Bytes by which the journal knows what came before: 50,000 messages of this life, up to 65,535 of the one before."""
_READ = 2**20
"""Bytes read from a file at once, generously."""


class Shares(msgspec.Struct, frozen=True):
    """The parts, in bytes.

    Attributes:
        total: all there is.
        packets: what comes in and is not whole yet, twice, since it is copied when it is.
        buffer: of each MQTT source that gives none of its own.
        buffers: of all MQTT sources together.
        waiting: taken in, and waiting for a batch.
        credit: what may be in flight before no further batch is begun.
        in_flight: the same with the batch that goes beyond.
        results: on their way to the sinks.
        journal: what is being written, and what messages that come again are known by.
    """

    total: int
    packets: int
    buffer: int
    buffers: int
    waiting: int
    credit: int
    in_flight: int
    results: int
    journal: int

    @property
    def needed(self) -> int:
        """What the parts come to."""
        return sum(size for _, size in self.parts())

    @property
    def rest(self) -> int:
        """What is left, for the snapshots of workers on Ray."""
        return max(0, self.total - self.needed)

    def parts(self) -> list[tuple[str, int]]:
        """Names and sizes."""
        sizes = (self.packets, self.buffers, self.waiting, self.in_flight, self.results, self.journal)
        return list(zip(("packets", "buffers", "waiting", "in flight", "results", "journal"), sizes, strict=True))

    def text(self) -> str:
        """The parts in words."""
        return ", ".join(f"{name} {about(size)}" for name, size in self.parts() if size)


def about(size: int) -> str:
    """A size, rounded as far as people care."""
    return size_text(float(f"{size:.2g}"))


def shares(config: Config) -> Shares:
    """What each part of a right file may take."""
    batch, shards = config.batch, config.engine.shards
    whole = (batch.max_bytes + BESIDE * batch.max_records) * shards
    return share_out(config.memory, config.max_in_flight, whole, [inlet.block for inlet in config.inlets])


def share_out(memory: int | None, credit: int | None, batch: int, sources: Sequence[AnySource]) -> Shares:
    """The same of the settings it follows from.

    Args:
        memory: what the file gives for all; None for the usual, or as much as the parts need.
        credit: what the file gives for what is in flight.
        batch: bytes a whole batch takes.
        sources: that the file has.
    """
    usual = _shares(memory or _USUAL, credit, batch, sources)
    if memory is not None or usual.needed <= usual.total:
        return usual
    return msgspec.structs.replace(usual, total=usual.needed)


def _shares(total: int, credit: int | None, batch: int, sources: Sequence[AnySource]) -> Shares:
    brokers = [source for source in sources if isinstance(source, MqttSource)]
    lines = sum(2 * source.max_line + _READ for source in sources if isinstance(source, FileSource))
    unsaid = sum(source.buffer is None for source in brokers)
    given = sum(source.buffer or 0 for source in brokers)
    buffer = max(_LEAST, (total // _BUFFERS - given) // max(unsaid, 1))
    buffers = given + buffer * unsaid
    wanted = credit or max(total // _CREDIT, 2 * batch)
    return Shares(
        total=total,
        packets=sum(2 * source.max_packet for source in brokers) + lines,
        buffer=buffer,
        buffers=buffers,
        waiting=buffers + batch,
        credit=wanted,
        in_flight=wanted + batch,
        results=total // _RESULTS,
        journal=2 * buffers + _KNOWN if brokers else 0,
    )

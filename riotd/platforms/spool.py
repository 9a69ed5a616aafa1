"""A folder between the driver and a platform's workers: portions, cut by shard, one way; outcomes the other."""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from heapq import merge
from itertools import groupby, islice, starmap
from pathlib import Path
from struct import Struct
from typing import IO, NamedTuple

import msgspec

from riotd.errors import EngineError
from riotd.messages import Outcome, Portion, added
from riotd.partitioning import key_group

_CHUNK = 8 * 2**20
"""Bytes of portions the driver gathers before it writes a chunk."""
_HEADER = Struct("<Q")
"""In front of each frame: the length of what follows, in bytes."""

_encode = msgspec.msgpack.Encoder().encode
_portion = msgspec.msgpack.Decoder(Portion).decode
_outcome = msgspec.msgpack.Decoder(Outcome).decode


class Slice(NamedTuple):
    """Where one shard's portions of one chunk are; slices of a shard sort in the order of its input.

    Attributes:
        chunk: number of the file.
        offset: of the first portion in it, bytes.
        portions: how many there are.
    """

    chunk: int
    offset: int
    portions: int


class Spool:
    """The folder, seen from either side; plain enough to be pickled.

    Args:
        folder: an empty folder, readable and writable by driver and workers.
        shards: key-group g belongs to shard g modulo this, as in the daemon.
    """

    def __init__(self, folder: Path, *, shards: int) -> None:
        self.folder = folder
        self.shards = shards

    def fill(self, portions: Iterable[Portion]) -> Iterator[tuple[int, Slice]]:
        """Write portions, and give each shard's slices in order; holds one chunk at a time.

        An empty portion for every shard, after all others, tells them that the stream has ended.

        Raises:
            OSError: the disk is full, or the folder gone.
        """
        batch, now = -1, 0.0
        chunk, size = 0, 0
        waiting: list[list[bytes]] = [[] for _ in range(self.shards)]
        for portion in portions:
            batch, now = portion.batch, portion.now
            for shard, share in _cut(portion, self.shards):
                body = _encode(share)
                waiting[shard].append(body)
                size += len(body)
            if size >= _CHUNK:
                yield from self._write(chunk, waiting)
                chunk, size = chunk + 1, 0
        end = _encode(Portion(batch + 1, now, [], [], []))
        for bodies in waiting:
            bodies.append(end)
        yield from self._write(chunk, waiting)

    def portions(self, piece: Slice) -> Iterator[Portion]:
        """The portions of a slice, one at a time."""
        with self._chunk(piece.chunk).open("rb") as file:
            file.seek(piece.offset)
            yield from map(_portion, islice(_frames(file), piece.portions))

    def outcomes_of(self, shard: int) -> Path:
        """The file with a shard's outcomes; it is there when the shard has come to its end."""
        return self.folder / f"outcomes-{shard}"

    def outcomes(self) -> Iterator[Outcome]:
        """One outcome for each portion, in their order, and one for the end, as if there were one shard.

        Results and rejects of one outcome are by shard, and of each shard in order.

        Raises:
            EngineError: a shard has not come to its end.
        """
        files = [self.outcomes_of(shard) for shard in range(self.shards)]
        if lost := [str(shard) for shard, file in enumerate(files) if not file.exists()]:
            raise EngineError(f"the platform ended without the outcomes of shard {', '.join(lost)}")
        return _joined(files)

    def _chunk(self, number: int) -> Path:
        return self.folder / f"portions-{number}"

    def _write(self, chunk: int, waiting: list[list[bytes]]) -> Iterator[tuple[int, Slice]]:
        """Write what waits, shard by shard, and forget it."""
        with self._chunk(chunk).open("wb") as file:
            for shard, bodies in enumerate(waiting):
                if bodies:
                    yield shard, Slice(chunk, file.tell(), len(bodies))
                    for body in bodies:
                        write_frame(file, body)
                    bodies.clear()


def write_frame(file: IO[bytes], body: bytes) -> None:
    """Append one portion or outcome."""
    file.write(_HEADER.pack(len(body)))
    file.write(body)


def _frames(file: IO[bytes]) -> Iterator[bytes]:
    """What was written with `write_frame`, from here to the end."""
    while header := file.read(_HEADER.size):
        yield file.read(_HEADER.unpack(header)[0])


def _outcomes(shard: int, path: Path) -> Iterator[tuple[int, Outcome]]:
    with path.open("rb") as file:
        for body in _frames(file):
            yield shard, _outcome(body)


def _joined(files: Sequence[Path]) -> Iterator[Outcome]:
    """The outcomes of all shards, brought together by batch."""
    alive = [0] * len(files)

    def batch(numbered: tuple[int, Outcome]) -> int:
        return numbered[1].batch

    for number, group in groupby(merge(*starmap(_outcomes, enumerate(files)), key=batch), key=batch):
        outcomes = []
        for shard, outcome in group:
            outcomes.append(outcome)
            alive[shard] = outcome.keys
        yield Outcome(
            number,
            [result for outcome in outcomes for result in outcome.results],
            [reject for outcome in outcomes for reject in outcome.rejects],
            [reduce(added, tallies) for tallies in zip(*(outcome.tallies for outcome in outcomes), strict=True)],
            sum(alive),
            sum(outcome.evicted for outcome in outcomes),
        )


def _cut(portion: Portion, shards: int) -> Iterator[tuple[int, Portion]]:
    """The shards' shares of a portion, messages in order."""
    places: dict[int, list[int]] = {}
    for index, key in enumerate(portion.keys):
        places.setdefault(key_group(key) % shards, []).append(index)
    for shard, at in places.items():
        yield (
            shard,
            Portion(
                portion.batch,
                portion.now,
                [portion.ids[index] for index in at],
                [portion.keys[index] for index in at],
                [portion.payloads[index] for index in at],
                [portion.topics[index] for index in at] if portion.topics else [],
            ),
        )

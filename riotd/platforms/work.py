"""One shard in a platform's worker: slices in, their outcomes into a file."""

import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.platforms.spool import Slice, Spool, write_frame
from riotd.shard import Shard

_encode = msgspec.msgpack.Encoder().encode


def build(plan: Plan) -> Shard:
    """A shard for this plan; `plan.path` goes in front of `sys.path` first.

    Raises:
        EngineError: a task can't be loaded or does not take its parameters.
    """
    sys.path[:0] = [entry for entry in plan.path if entry not in sys.path]
    try:
        return Shard(plan)
    except Exception as error:
        raise EngineError(f"the plan can't be run: {type(error).__name__}: {error}") from error


class Work:
    """A fresh shard from the first slice of its input to the last.

    The outcomes' file gets its name only when it is whole, so that an attempt that failed, or ran beside another,
    leaves nothing that could be taken for a result.
    """

    def __init__(self, spool: Spool, shard: int, plan: Plan) -> None:
        self._shard = build(plan)
        self._spool = spool
        self._last = -1
        self._file = NamedTemporaryFile(dir=spool.folder, prefix=f"shard-{shard}-", delete=False)  # noqa: SIM115 - see `close`
        self._done = spool.outcomes_of(shard)

    def do(self, piece: Slice) -> bool:
        """Run a slice; whether it was the last, which ends with the tasks' flush.

        Raises:
            EngineError: the platform has changed the order of the slices.
            OSError: the disk is full, or the folder gone.
        """
        if piece.chunk <= self._last:
            raise EngineError(f"slice {piece.chunk} came after slice {self._last}: the platform has changed the order")
        self._last = piece.chunk
        for portion in self._spool.portions(piece):
            write_frame(self._file, _encode(self._shard.run(portion)))
            if not portion.ids:
                self._file.close()
                Path(self._file.name).replace(self._done)
                return True
        return False

    def close(self) -> None:
        """Leave it, wherever it is; after the last slice that changes nothing."""
        self._file.close()

"""Reading a history side by side: Ray Data runs a task for each piece, and what they find is brought together here.

The rows come back to one process, as they must to be learnt from. What costs is reading and parsing, so that is what
is spread; the order is made here, by time, since Ray promises none.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import ray
from ray import data
from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

from riotd.errors import EngineError, TransportError
from riotd.training.history import Floats
from riotd.training.reading import BROKEN, CLASS, PLACE, REFUSED, TIME, Integers, Piece, Read, Wanted, blocks

TASKS = 200
"""Read tasks at most: each costs some milliseconds, and many small files are read by fewer."""
_SHOWN = 5
"""Reasons that are kept."""


class TooManyRows(EngineError):  # noqa: N818 - it names what happened
    """A history has more rows than may be taken."""


def read(pieces: Sequence[Piece], wanted: Wanted, *, most: int, watch: Callable[[int], None]) -> Read:
    """The rows of all pieces.

    Args:
        pieces: in the order in which they count where times are equal.
        wanted: what of their records.
        most: rows that are taken.
        watch: told how many there are so far.

    Raises:
        TooManyRows: there are more.
        TransportError: a piece can't be read.
        EngineError: Ray gave up, or a worker failed.
    """
    gathered = _Gathered(wanted)
    with _context(), _translated():
        history = data.read_datasource(_History(pieces, wanted), override_num_blocks=min(len(pieces), TASKS))
        for block in history.iter_batches(batch_size=None, batch_format="pyarrow"):
            gathered.add(block)
            watch(gathered.rows)
            if gathered.rows > most:
                raise TooManyRows(
                    f"there are more than {most:,} rows (max_rows), which one process learns from; "
                    "take a part of the time (since, until), or raise it: a million rows of five fields take 200 MB"
                )
    return gathered.read()


class _History(Datasource):
    """Pieces as Ray Data reads them."""

    def __init__(self, pieces: Sequence[Piece], wanted: Wanted) -> None:
        self._pieces, self._wanted = list(pieces), wanted

    def get_name(self) -> str:
        return "History"

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ANN401, ARG002 - Ray's signature
    ) -> list[ReadTask]:
        count = min(len(self._pieces), parallelism)
        cuts = np.linspace(0, len(self._pieces), count + 1).round().astype(int).tolist()
        return [
            ReadTask(
                _reader(self._pieces[start:end], self._wanted),
                BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None),
                per_task_row_limit=per_task_row_limit,
            )
            for start, end in pairwise(cuts)
        ]


def _reader(pieces: Sequence[Piece], wanted: Wanted) -> Callable[[], Iterable[pa.Table]]:
    def read_all() -> Iterator[pa.Table]:
        for piece in pieces:
            yield from blocks(piece, wanted)

    return read_all


class _Gathered:
    """Blocks, as they come."""

    def __init__(self, wanted: Wanted) -> None:
        self.rows = self._refused = 0
        self._wanted = wanted
        self._places: dict[str, int] = {}
        self._columns: list[tuple[npt.NDArray[np.int64], Floats, Floats, Integers]] = []
        self._reasons: list[tuple[int, str]] = []

    def add(self, block: pa.Table) -> None:
        """Take a block; its refusals are counted and left out."""
        refused = block.column(REFUSED).combine_chunks()
        if refused.null_count < len(refused):
            said = zip(block.column(PLACE).to_pylist(), refused.to_pylist(), strict=True)
            found = sorted((place, reason) for place, reason in said if reason is not None)
            if found[0][0] == BROKEN:
                raise TransportError(found[0][1])
            self._refused += len(found)
            self._reasons = sorted([*self._reasons, *found[:_SHOWN]])[:_SHOWN]
            block = block.filter(refused.is_null())
        names = self._wanted.numbers
        numbers = np.column_stack([_array(block, name) for name in names]) if names else np.empty((len(block), 0))
        self._columns.append((_array(block, PLACE), _array(block, TIME), numbers, self._labels(block)))
        self.rows += len(block)

    def read(self) -> Read:
        """All that came, in order."""
        places, times, numbers, labels = (np.concatenate(column) for column in zip(*self._columns, strict=True))
        self._columns.clear()
        order = np.lexsort((places, times))
        reasons = [reason for _, reason in self._reasons]
        return Read(times[order], numbers[order], labels[order], list(self._places), self._refused, reasons)

    def _labels(self, block: pa.Table) -> Integers:
        """Positions of the classes that were read, in the order in which they came."""
        encoded = block.column(CLASS).combine_chunks().dictionary_encode()
        known = [self._places.setdefault(name, len(self._places)) for name in encoded.dictionary.to_pylist()]
        places: Integers = np.array([*known, -1], dtype=np.intp)
        found: Integers = places[encoded.indices.fill_null(len(known)).to_numpy()]
        return found


def _array(block: pa.Table, name: str) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = block.column(name).to_numpy()
    return found


@contextmanager
def _context() -> Iterator[None]:
    """Ray Data without its bars and announcements, which are this process's settings; put back at the end."""
    context = data.DataContext.get_current()
    quiet = {"enable_progress_bars": False, "print_on_execution_start": False}
    before = {name: getattr(context, name) for name in quiet if hasattr(context, name)}
    for name in before:
        setattr(context, name, quiet[name])
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)


@contextmanager
def _translated() -> Iterator[None]:
    """What Ray raises, in a line."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        raise EngineError(f"reading failed: {type(cause).__name__}: {str(cause)[:300]}") from error

"""Rows of numbers in a stream of records: what is incomplete has gaps, what can't be read has a reason."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from riot_tasks.errors import BadRecord, Unavailable
from riot_tasks.fields import number
from riot_tasks.record import Value, text
from riotd.errors import TransportError
from riotd.training.history import Floats

if TYPE_CHECKING:
    import pyarrow as pa

Integers = npt.NDArray[np.intp]

LARGEST = 1e100
"""Numbers are within ± this, as `linear_regression_train` has it, so that their squares stay finite."""
TIME, PLACE, CLASS, REFUSED = "\0time", "\0place", "\0class", "\0refused"
"""Columns beside those of the fields, which no field is called."""
BROKEN = -1
"""The place of a row whose reason says why there are no more of its piece."""
_ROWS = 32_768
"""Rows of a block: 2 MB with eight fields."""


class Wanted(msgspec.Struct, frozen=True):
    """What is read of each record.

    Attributes:
        numbers: fields with numbers.
        label: a field with a class; None if there is none to read.
        since: Unix seconds; records before are left out.
        until: those from here on too.
    """

    numbers: tuple[str, ...]
    label: str | None
    since: float
    until: float


class Reading(NamedTuple):
    """One record, or what came in the place of one.

    Attributes:
        place: where it stood; of two records of one time the lower is the earlier.
        time: Unix seconds.
        values: its fields.
        refused: why there is no record.
    """

    place: int
    time: float
    values: Mapping[str, Value]
    refused: str | None = None


class Read(NamedTuple):
    """What was read, in the order of time.

    Attributes:
        times: Unix seconds.
        numbers: a column for each field; NaN where a record has none.
        labels: position in `classes`, -1 where there is none.
        classes: texts, in no order.
        refused: records that could not be read.
        reasons: the first of them in words.
    """

    times: Floats
    numbers: Floats
    labels: Integers
    classes: list[str]
    refused: int
    reasons: list[str]


class Piece(Protocol):
    """A part of a history that one worker reads."""

    def readings(self) -> Iterator[Reading]:
        """What is in it, in order.

        Raises:
            TransportError, Unavailable: it can't be read.
        """


def blocks(piece: Piece, wanted: Wanted) -> Iterator["pa.Table"]:
    """A piece's rows: NaN, or no class, where a record has no value; a reason where there is no record.

    That a piece can't be read is told by a last row, at the place `BROKEN`: an exception would come out of a worker as
    the text of its stack.
    """
    waiting: list[_Row] = []
    for row in _rows(_unbroken(piece), wanted):
        waiting.append(row)
        if len(waiting) == _ROWS:
            yield _block(waiting, wanted)
            waiting = []
    yield _block(waiting, wanted)


class _Row(NamedTuple):
    place: int
    time: float
    numbers: list[float]
    label: str | None
    refused: str | None


def _unbroken(piece: Piece) -> Iterator[Reading]:
    try:
        yield from piece.readings()
    except (TransportError, Unavailable) as error:
        yield Reading(BROKEN, 0.0, {}, str(error))


def _rows(readings: Iterable[Reading], wanted: Wanted) -> Iterator[_Row]:
    nothing = [float("nan")] * len(wanted.numbers)
    for place, time, values, refused in readings:
        if refused is None and not wanted.since <= time < wanted.until:
            continue
        try:
            if refused is not None:
                raise BadRecord(refused)  # noqa: TRY301 - one place makes rows of refusals
            numbers = [_number(name, values.get(name)) for name in wanted.numbers]
            label = None if wanted.label is None else values.get(wanted.label)
            yield _Row(place, time, numbers, None if label in (None, "") else text(label), None)
        except BadRecord as error:
            yield _Row(place, time, nothing, None, str(error)[:300])


def _number(name: str, value: Value) -> float:
    if type(value) is float and -LARGEST < value < LARGEST:  # nearly always
        return value
    if value is None or value == "":
        return float("nan")
    found = number(name, value)
    if not -LARGEST < found < LARGEST:
        raise BadRecord(f"{name}: {found:g} is too large to learn from; numbers must be within ±{LARGEST:g}")
    return found


def _block(rows: list[_Row], wanted: Wanted) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415 - Ray Data's, which the pure rooms do without

    table = np.array([row.numbers for row in rows], dtype=np.float64).reshape(len(rows), len(wanted.numbers))
    columns = {name: pa.array(column) for name, column in zip(wanted.numbers, table.T, strict=True)}
    columns[TIME] = pa.array([row.time for row in rows], type=pa.float64())
    columns[PLACE] = pa.array([row.place for row in rows], type=pa.int64())
    columns[CLASS] = pa.array([row.label for row in rows], type=pa.string())
    columns[REFUSED] = pa.array([row.refused for row in rows], type=pa.string())
    return pa.table(columns)

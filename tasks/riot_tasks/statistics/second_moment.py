"""`second_moment`: how unevenly values are spread."""

from collections.abc import Iterable, Sequence

from riot_tasks.algorithms.surprise import Surprise, Surprise32
from riot_tasks.fields import MAX_FIELDS, FieldTask, numbers
from riot_tasks.parameters import flag, whole
from riot_tasks.record import Record


class SecondMoment(FieldTask[Surprise | Surprise32]):
    """A running estimate of the surprise number of a field's readings: each different value's count, squared, summed.

    n readings that all differ give n, n equal ones n * n.

    Args:
        fields: names of the fields; None is every field that holds a number.
        tracked: readings sampled to estimate by, for each field. Up to so many the result is exact; then its
            standard error, which falls with the square root of `tracked`, is 7 to 13 % at 100 on the city sample.
        seed: chooses the sample.
        max_fields: with `fields` None, fields to keep state for; a record that brings one more is a BadRecord.
        parity: RIoTBench's number instead; see below.

    The result has the watched fields only, each with its second moment so far, of unit `count`. A field whose value
    is None is passed over, one that is no number makes the record a BadRecord.

    What differs from RIoTBench: it samples no readings but follows values, the first `tracked` different ones, each
    from when it first came, and takes the mean of n(2c - 1), where c of the n readings were that value. That is no
    estimate of the second moment: 4 equal readings give 28 instead of 16. A value too many takes the place of a
    random one, and each place not taken yet counts as a value that came 0 times, which subtracts n. With `parity`
    the result is that, in single precision. It equals the original's until that runs past its places and dies, or
    more than `tracked` different values came: who makes room is drawn by `seed`, the original's dice have none. Its
    settings have 10 for `tracked`.

    Example:
        >>> from riot_tasks import Record
        >>> task = SecondMoment(["humidity"])
        >>> for reading in (40.0, 41.0, 40.0):
        ...     for result in task.process(Record(1, "dev7", 0.0, {"humidity": reading})):
        ...         print(result.values)
        {'humidity': 1.0}
        {'humidity': 2.0}
        {'humidity': 5.0}

    References:
        Alon, Matias and Szegedy, "The Space Complexity of Approximating the Frequency Moments", STOC 1996.
        RIoTBench SOM (SecondOrderMoment), arXiv 1701.08530, section 4.1.
    """

    code = "SOM"
    pattern = "1:1"

    def __init__(
        self,
        fields: Sequence[str] | None = None,
        *,
        tracked: int = 100,
        seed: int = 0,
        max_fields: int = MAX_FIELDS,
        parity: bool = False,
    ) -> None:
        super().__init__(fields, max_fields)
        self.tracked = whole("tracked", tracked, least=1, most=1_000_000)
        self.seed = whole("seed", seed, least=0)
        self.parity = flag("parity", parity)

    def process(self, record: Record) -> Iterable[Record]:
        """The moments so far as one record; nothing if it has no watched field."""
        moments = self._advance(numbers(record, self.fields))
        units = dict.fromkeys(moments, "count")
        return (Record(record.id, record.source, record.time, moments, units, record.meta),) if moments else ()

    def _algorithm(self) -> Surprise | Surprise32:
        return (Surprise32 if self.parity else Surprise)(self.tracked, self.seed)

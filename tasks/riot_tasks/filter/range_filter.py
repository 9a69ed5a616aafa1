"""`range_filter`: only what lies within its bounds."""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan

from riot_tasks.algorithms.float32 import float32
from riot_tasks.errors import BadRecord
from riot_tasks.fields import number
from riot_tasks.parameters import flag, one_of
from riot_tasks.record import Record
from riot_tasks.showing import shown
from riot_tasks.task import Task


class RangeFilter(Task):
    """Lets a record through if each of its fields lies within the bounds set for that field.

    Args:
        ranges: field name to [lowest, highest], both allowed; an open side is -.inf or .inf.
        on_outlier: "drop" takes out the whole record; "null" lets it through with None in place of each
            value out of bounds, to be interpolated.
        parity: RIoTBench's rules: bounds and values are compared in single precision, and a value that is no
            number counts as one within bounds.

    Fields without bounds pass, and so do fields without a value. A bounded field that holds no number makes
    the record a BadRecord.

    Example:
        >>> from riot_tasks import Record
        >>> record = Record(1, "dev7", 0.0, {"temperature": 85.0, "humidity": 40.0})
        >>> list(RangeFilter({"temperature": [-12.5, 43.1]}).process(record))
        []
        >>> [result.values for result in RangeFilter({"temperature": [-12.5, 43.1]}, on_outlier="null").process(record)]
        [{'temperature': None, 'humidity': 40.0}]

    References:
        RIoTBench RGF (RangeFilterCheck), arXiv 1701.08530, section 4.1.
    """

    code = "RGF"
    stateful = False
    pattern = "1:0/1"

    def __init__(
        self, ranges: Mapping[str, Sequence[float]], *, on_outlier: str = "drop", parity: bool = False
    ) -> None:
        self.ranges = _checked(ranges)
        self.on_outlier = one_of("on_outlier", on_outlier, ("drop", "null"))
        self.parity = flag("parity", parity)
        self._by_name = {name: self._rounded(bounds) for name, bounds in self.ranges.items()}
        self._bounds = [(name, *bounds) for name, bounds in self._by_name.items()]

    def _rounded(self, bounds: Sequence[float]) -> tuple[float, float]:
        lowest, highest = bounds
        return (float32(lowest), float32(highest)) if self.parity else (lowest, highest)

    def process(self, record: Record) -> Iterable[Record]:
        """The record itself, or the record with None for its outliers, or nothing."""
        values = record.values
        if len(values) == 1:  # one observation, as `senml_parse` with `explode` gives them: looked up, not sought
            ((name, value),) = values.items()
            bounds = self._by_name.get(name)
            if bounds is None or (type(value) is float and not self.parity and bounds[0] <= value <= bounds[1]):
                return (record,)
            outliers = [name] if self._outlies(name, *bounds, record) else []
        else:
            outliers = [name for name, lowest, highest in self._bounds if self._outlies(name, lowest, highest, record)]
        if not outliers:
            return (record,)
        if self.on_outlier == "drop":
            return ()
        gaps = {**values, **dict.fromkeys(outliers)}
        return (Record(record.id, record.source, record.time, gaps, record.units, record.meta),)

    def _outlies(self, name: str, lowest: float, highest: float, record: Record) -> bool:
        value = record.values.get(name)
        if type(value) is float and not self.parity and lowest <= value <= highest:  # nearly always
            return False
        return value is not None and not self._within(name, lowest, highest, record)

    def _within(self, name: str, lowest: float, highest: float, record: Record) -> bool:
        try:
            value = number(name, record.values[name])
        except BadRecord:
            if self.parity:
                return True
            raise
        return lowest <= (float32(value) if self.parity else value) <= highest


def _checked(ranges: object) -> dict[str, Sequence[float]]:
    if not isinstance(ranges, Mapping) or not ranges or not all(isinstance(name, str) for name in ranges):
        raise ValueError(
            f"ranges: must be field names with bounds, {{temperature: [-12.5, 43.1]}} (is {shown(ranges)})"
        )
    for name, bounds in ranges.items():
        if not isinstance(bounds, Sequence) or len(bounds) != 2 or not all(map(_is_bound, bounds)):
            raise ValueError(f"ranges.{name}: must be two numbers, [lowest, highest] (is {shown(bounds)})")
        if bounds[0] > bounds[1]:
            raise ValueError(f"ranges.{name}: the lowest, {bounds[0]}, is above the highest, {bounds[1]}; swap them")
    return dict(ranges)


def _is_bound(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return not isnan(value)
    except OverflowError:  # an integer larger than any double
        return False

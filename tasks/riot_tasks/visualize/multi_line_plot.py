"""`multi_line_plot`: series as lines in one picture."""

import re
from collections.abc import Callable, Iterable
from operator import itemgetter
from reprlib import repr as shortened

import msgspec

from riot_tasks.errors import BadRecord
from riot_tasks.fields import LIMIT, number
from riot_tasks.parameters import flag, name, one_of, whole
from riot_tasks.record import Record
from riot_tasks.showing import shown
from riot_tasks.task import Task

Points = list[tuple[float, float | None]]
"""Times, Unix seconds, and values; None is a gap."""

CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
FARTHEST = 1e10
"""Seconds before and after 1970; a time beyond is in milliseconds perhaps, but not of a calendar with four digits."""

_SHAPE = '{"name": [[time, value], ...], ...}'
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


_decode = msgspec.json.Decoder(dict[str, Points]).decode


class MultiLinePlot(Task):
    """Draws the series of a record as lines in one chart of 800 by 600 pixels: one chart for each record.

    The record's source is the title, if no other is given; the names of the series are the legend, at the top right,
    above the lines. A unit that all series share (`units`, by the names of the series) stands at the axis, different
    ones in the legend. A value that is null is a gap in the line.

    Args:
        field: the field with the series, as `accumulate` gives them: a JSON text `{"temperature": [[time, value],
            ...], ...}` with times in Unix seconds.
        into: field for the picture, bytes.
        format: "svg", or "png".
        axis: "clock": dates and times of day, in UTC; "elapsed": seconds, minutes, ... since the first reading of the
            same series, so that series of different days lie over each other.
        title: what stands above the lines, for charts of no device in particular; None is the record's source.
        max_series: series in a chart; a record with more is a BadRecord. The first 40 look different.
        max_points: readings in a chart, of all series; a record with more is a BadRecord.
        parity: RIoTBench's chart: time is elapsed, in milliseconds, and the axes have no titles.

    The result has `meta["content_type"]`, and `meta["name"]`, a file's name made of source and time. The same record
    gives the same bytes in every process with the same version of matplotlib, so that a replay changes nothing.

    A chart of 10 series of 200 readings takes 2 ms of CPU as SVG and 34 ms as PNG; loading matplotlib, when the task
    is made, a second or two.

    Example:
        >>> from riot_tasks import Record
        >>> series = '{"indoor": [[1700000000, 20.5], [1700000060, 21.0]], "outdoor": [[1700000000, 4.0]]}'
        >>> record = Record(7, "dev7", 1700000060.0, {"series": series}, {"indoor": "Cel", "outdoor": "Cel"})
        >>> (chart,) = MultiLinePlot().process(record)
        >>> chart.meta
        {'content_type': 'image/svg+xml', 'name': 'dev7-1700000060000.svg'}
        >>> [word in chart.values["plot"] for word in (b"<svg", b"indoor", b"outdoor", b"Cel", b"2023-11-14 UTC")]
        [True, True, True, True, True]

    References:
        RIoTBench PLT (MultiLinePlot), arXiv 1701.08530, section 4.1.
        Petroff, "Accessible Color Sequences for Data Visualization", arXiv 2107.02270 (2021).
    """

    code = "PLT"
    stateful = False
    pattern = "1:1"

    def __init__(  # noqa: PLR0913 - eight keys of the config
        self,
        *,
        field: str = "series",
        into: str = "plot",
        format: str = "svg",  # noqa: A002 - the key of the config
        axis: str = "clock",
        title: str | None = None,
        max_series: int = 40,
        max_points: int = 100_000,
        parity: bool = False,
    ) -> None:
        self.field = name("field", field)
        self.into = name("into", into)
        self.format = one_of("format", format, tuple(CONTENT_TYPES))
        self.axis = one_of("axis", axis, ("clock", "elapsed"))
        self.title = None if title is None else _title(title)
        self.max_series = whole("max_series", max_series, least=1, most=1000)
        self.max_points = whole("max_points", max_points, least=1, most=10_000_000)
        self.parity = flag("parity", parity)
        _drawer()  # its absence is found now, not at a record

    def process(self, record: Record) -> Iterable[Record]:
        """The chart.

        Raises:
            BadRecord: the field holds no series, or too many, or a time or a value out of range.
        """
        axis = "bare" if self.parity else self.axis
        title = record.source if self.title is None else self.title
        picture = _drawer()(title, self._series(record), record.units, kind=self.format, axis=axis)
        meta = {**record.meta, "content_type": CONTENT_TYPES[self.format], "name": self._name(record)}
        return (Record(record.id, record.source, record.time, {self.into: picture}, {}, meta),)

    def _series(self, record: Record) -> dict[str, Points]:
        """The series that have points, each in the order of time."""
        text = record.values.get(self.field)
        if not isinstance(text, str | bytes):
            raise BadRecord(f"{self.field}: must hold series as JSON text (is {type(text).__name__})")
        try:
            series = _decode(text)
        except (ValueError, RecursionError) as error:
            raise BadRecord(f"{self.field}: no JSON of series, {_SHAPE}: {error}") from None
        if len(series) > self.max_series:
            raise BadRecord(f"{self.field}: {len(series)} series are more than max_series, {self.max_series}")
        total = sum(map(len, series.values()))
        if total > self.max_points:
            raise BadRecord(f"{self.field}: {total} readings are more than max_points, {self.max_points}")
        for label, points in series.items():
            self._check(label, points)
        if all(value is None for points in series.values() for _, value in points):
            raise BadRecord(f"{self.field}: there is no reading to draw")
        return {label: sorted(points, key=itemgetter(0)) for label, points in series.items() if points}

    def _check(self, label: str, points: Points) -> None:
        for time, value in points:
            if not -FARTHEST <= time <= FARTHEST:
                raise BadRecord(f"{self.field}: {shortened(label)}: {time} is no time in Unix seconds within ±1e10")
            if value is not None and not -LIMIT < value < LIMIT:
                raise BadRecord(f"{self.field}: {shortened(label)}: {value} is not a number within ±{LIMIT:g}")

    def _name(self, record: Record) -> str:
        """A name for a file: source, and time in milliseconds."""
        source = _UNSAFE.sub("_", record.source[:128]).lstrip(".") or "plot"
        return f"{source}-{round(number('time', record.time) * 1000):.15g}.{self.format}"


def _title(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"title: must be a text (is {shown(value)})")
    return value


def _drawer() -> Callable[..., bytes]:
    try:
        from riot_tasks.visualize.chart import draw  # noqa: PLC0415 - it takes a second to import matplotlib
    except ImportError as error:
        raise ValueError(f"multi_line_plot needs matplotlib: {error}; pip install 'riotd[plot]'") from error
    return draw

"""`sliding_regression`: where a series is heading."""

from collections.abc import Iterable, Sequence

from riot_tasks.algorithms.float32 import float32
from riot_tasks.algorithms.regression import SlidingRegression as Line
from riot_tasks.fields import MAX_FIELDS, FieldTask, numbers, units_of
from riot_tasks.parameters import flag, one_of, whole
from riot_tasks.record import Record, Value


class SlidingRegression(FieldTask[Line]):
    """Forecasts of a field's next readings: a straight line through its last ones, carried on.

    Args:
        fields: names of the fields; None is every field that holds a number.
        window: readings the line is fitted to, at least 2.
        horizon: readings forecast.
        give: `forecasts`, a record for each of them; or `mean`, one record with their mean, which is what RIoTBench's
            micro-benchmark sends on; its `meta["step"]` is "1-10", for a horizon of 10.
        max_fields: with `fields` None, fields to keep state for; a record that brings one more is a BadRecord.
        parity: RIoTBench's results: single precision.

    Nothing until more than `window` readings came. From then on each record gives `horizon` records, one for
    each reading ahead, told apart by `meta["step"]`, "1" to `str(horizon)`; they come in that order and have
    the time of the record they follow from, as readings are counted, not timed. Records rather than one text of
    numbers joined by `#`, which is what RIoTBench sends: so each forecast is a number with a unit wherever it
    goes, and its accumulator's splitting of such texts is not needed.

    The window counts readings, not seconds. A field whose value is None is passed over, one that is no number
    makes the record a BadRecord.

    Example:
        >>> from riot_tasks import Record
        >>> task = SlidingRegression(["temperature"], window=3, horizon=2)
        >>> for reading in (20.0, 21.0, 22.0, 23.0):
        ...     for result in task.process(Record(1, "dev7", 0.0, {"temperature": reading})):
        ...         print(result.meta["step"], result.values)
        1 {'temperature': 24.0}
        2 {'temperature': 25.0}

    References:
        RIoTBench SLR (SimpleLinearRegressionPredictor), arXiv 1701.08530, section 4.1.
        Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
    """

    code = "SLR"
    pattern = "N:M"

    def __init__(  # noqa: PLR0913 - six keys of the config
        self,
        fields: Sequence[str] | None = None,
        *,
        window: int = 10,
        horizon: int = 10,
        give: str = "forecasts",
        max_fields: int = MAX_FIELDS,
        parity: bool = False,
    ) -> None:
        super().__init__(fields, max_fields)
        self.window = whole("window", window, least=2)
        self.horizon = whole("horizon", horizon, least=1, most=10_000)
        self.give = one_of("give", give, ("forecasts", "mean"))
        self.parity = flag("parity", parity)
        steps = [str(step) for step in range(1, horizon + 1)]
        self._steps = steps if give == "forecasts" or horizon == 1 else [f"1-{horizon}"]
        self._meta: dict[str, str] | None = None
        self._metas: list[dict[str, str]] = []

    def process(self, record: Record) -> Iterable[Record]:
        """A record for each step ahead, or one of the mean; nothing if no field has a full window."""
        forecasts = self._advance(numbers(record, self.fields))
        if not forecasts:
            return ()
        if self.parity:
            forecasts = {name: self._single(ahead) for name, ahead in forecasts.items()}
        return self._ahead(record, forecasts)

    def _single(self, ahead: list[float]) -> list[float]:
        """In single precision, each of them and their mean, as RIoTBench's are."""
        rounded = list(map(float32, ahead))
        return [float32(sum(rounded) / len(rounded))] if self.give == "mean" else rounded

    def _ahead(self, record: Record, forecasts: dict[str, list[float]]) -> list[Record]:
        if record.meta != self._meta:  # hardly ever: ten merged mappings cost as much as the regression
            self._meta, self._metas = record.meta, [{**record.meta, "step": step} for step in self._steps]
        units = units_of(record, forecasts)
        return [
            Record(record.id, record.source, record.time, values, units, meta)
            for meta, values in zip(self._metas, _turned(forecasts), strict=True)
        ]

    def _algorithm(self) -> Line:
        return Line(self.window, self.horizon, mean=self.give == "mean" and not self.parity)


def _turned(forecasts: dict[str, list[float]]) -> list[dict[str, Value]]:
    """A mapping of lists as a list of mappings."""
    if len(forecasts) == 1:
        ((name, ahead),) = forecasts.items()
        return [{name: value} for value in ahead]
    return [dict(zip(forecasts, values, strict=True)) for values in zip(*forecasts.values(), strict=True)]

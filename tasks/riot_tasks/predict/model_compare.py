"""`model_compare`: how a model on trial does beside the one in force, and whether it should take over."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from riot_tasks import models
from riot_tasks.errors import BadRecord
from riot_tasks.fields import number, versioned
from riot_tasks.parameters import name, whole
from riot_tasks.predict.predictor import IN_FORCE
from riot_tasks.record import Record, Value, aside
from riot_tasks.task import Task


class ModelCompare(Task):
    """Compares what a model on trial says with what the one in force says, and announces it if it is not worse.

    Args:
        predicted: field with the prediction, the `into` of the predicting task.
        actual: field with what was foretold, where the records have it; None if they do not: then there is no
            verdict.
        window: records of a trial in one comparison; they do not overlap.

    It takes the records of a predicting task's output `shadow`, of all keys (`key: one`). The record that fills a
    window gives one with `version`, of the model on trial, and `in_force`, of the other; `records`, how many were
    compared, and `unscored`, of how many more the model on trial made nothing, since they lack what it needs. Of
    numbers, `difference` is the mean absolute difference of the two predictions; of classes, `agreement` is the share
    that is the same. With `actual`, `error` and `error_in_force` are the mean absolute error of each, or the share of
    wrong classes, and `better` is whether the model on trial is not worse and has left no record unscored.

    It may take those of `notice_parse` too: then its output `notices` has the notice of a model that is better, in the
    field `payload`, to be published where notices are: to be taken now, without a trial. So where predicting tasks have
    `promote: told`, a model takes over only after it has proved itself, and in all shards at the same message.

    A record that has neither predictions nor a notice is a BadRecord. What a trial has gathered is lost when another
    one begins.

    Example:
        >>> from riot_tasks import Record
        >>> task, meta = ModelCompare(actual="fare", window=2), {"model": "taxi-2", "beside": "taxi-1"}
        >>> for fare, old, new in ((9.0, 8.0, 8.5), (12.0, 14.0, 12.5)):
        ...     values = {"prediction": new, "prediction_in_force": old, "fare": fare}
        ...     for result in task.process(Record(1, "taxi7", 0.0, values, {}, meta)):
        ...         print({field: result.values[field] for field in ("error", "error_in_force", "better")})
        {'error': 0.5, 'error_in_force': 1.5, 'better': True}

    References:
        Sculley et al., "Hidden Technical Debt in Machine Learning Systems", NIPS 2015.
    """

    pattern = "N:1"
    asides = ("notices",)

    def __init__(self, *, predicted: str = "prediction", actual: str | None = None, window: int = 1000) -> None:
        self.predicted = name("predicted", predicted)
        self.actual = None if actual is None else name("actual", actual)
        self.window = whole("window", window, least=1)
        self._notice: str | None = None  # the latest one heard
        self._begin("", "")

    def _begin(self, candidate: str, in_force: str) -> None:
        self._versions = (candidate, in_force)
        self._unscored = 0
        self._means: dict[str, list[float]] = {}  # how many numbers, and their mean

    def process(self, record: Record) -> Iterable[Record]:
        """What the comparison says, if this record fills the window.

        Raises:
            BadRecord: it has neither predictions nor a notice, or they are none.
        """
        values = record.values
        theirs = values.get(self.predicted + IN_FORCE)
        if theirs is None:
            return self._heard(record)
        ours, actual = values.get(self.predicted), values.get(self.actual) if self.actual else None
        found = {} if ours is None else {"difference": _apart(self.predicted, ours, theirs)}
        if ours is not None and actual is not None and self.actual:
            found["error"] = _apart(self.actual, actual, ours)
            found["error_in_force"] = _apart(self.actual, actual, theirs)
        versions = record.meta.get("model", ""), record.meta.get("beside", "")
        if versions != self._versions:
            self._begin(*versions)
        self._unscored += not found
        for each, number_ in found.items():
            self._count(each, number_)
        full = self._compared + self._unscored >= self.window
        return self._taken(record, classes=isinstance(theirs, str)) if full else ()

    @property
    def _compared(self) -> int:
        """Records of the window for which both have a prediction."""
        return int(self._means["difference"][0]) if self._means else 0

    def _heard(self, record: Record) -> Iterable[Record]:
        """A notice, to be given again if its model is better."""
        said = record.values.get("notice")
        try:
            self._notice = models.read_notice(said if isinstance(said, str | bytes) else b"").encode().decode()
        except ValueError as error:
            raise BadRecord(
                f"{self.predicted}{IN_FORCE}: the record lacks it, and has no notice either: {error}"
            ) from error
        return ()

    def _count(self, what: str, number: float) -> None:
        pair = self._means.setdefault(what, [0, 0.0])
        pair[0] += 1
        pair[1] += (number - pair[1]) / pair[0]  # a sum of very large numbers might not be finite

    def _taken(self, record: Record, *, classes: bool) -> Iterable[Record]:
        """What the window says; begins afresh."""
        values: dict[str, Value] = {"version": self._versions[0], "in_force": self._versions[1]}
        values |= {"records": self._compared, "unscored": self._unscored}
        values |= {what: mean for what, (_, mean) in self._means.items()}
        if classes and "difference" in values:
            values["agreement"] = 1.0 - float(self._means["difference"][1])
            del values["difference"]
        better = None
        if "error" in self._means:
            better = values["better"] = (
                not self._unscored and self._means["error"][1] <= self._means["error_in_force"][1]
            )
        self._begin(*self._versions)
        result = Record(record.id, record.source, record.time, values, {}, record.meta)
        return (result, *self._announced(result)) if better else (result,)

    def _announced(self, result: Record) -> Iterable[Record]:
        """The notice of the model that is better, to be taken now."""
        heard = None if self._notice is None else models.read_notice(self._notice)
        if heard is None or heard.version != result.values["version"]:
            return ()
        payload = replace(heard, shadow=0).encode()
        return (aside(replace(result, values={"payload": payload}), "notices"),)

    def snapshot(self) -> Mapping[str, Any]:
        """The notice, and what the window has so far."""
        means = {what: list(pair) for what, pair in self._means.items()}
        return {
            "version": 1,
            "notice": self._notice,
            "versions": list(self._versions),
            "unscored": self._unscored,
            "means": means,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        saved = versioned(state, 1)
        self._begin(*saved["versions"])
        self._notice, self._unscored = saved["notice"], saved["unscored"]
        self._means = {what: list(pair) for what, pair in saved["means"].items()}


def _apart(field: str, one: Value, other: Value) -> float:
    """How far apart two numbers are; for classes 0 or 1."""
    if isinstance(one, str) and isinstance(other, str):
        return float(one != other)
    return abs(number(field, one) - number(field, other))

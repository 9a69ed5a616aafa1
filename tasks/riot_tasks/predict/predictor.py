"""Applying a model: its features found by their names, itself exchanged within the stream."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from riot_tasks import models
from riot_tasks.errors import BadRecord
from riot_tasks.fields import numbers, versioned
from riot_tasks.parameters import name
from riot_tasks.record import Record, Value
from riot_tasks.task import Task

M = TypeVar("M", bound=models.LinearModel | models.TreeModel)


class Predictor(Task, Generic[M]):
    """A task that adds to each record what a model makes of its fields.

    Args:
        kind: the kind of documents it takes.
        model: path of the model's file, or the document itself.
        into: field for what the model says.
        updates: field in which a record brings another model; None if none does.
    """

    pattern = "1:1"

    def __init__(self, kind: type[M], model: str | Mapping[str, Any], into: str, updates: str | None) -> None:
        self._kind = kind
        self.model = model
        self.into = name("into", into)
        self.updates = None if updates is None else name("updates", updates)
        self._brought: str | None = None  # text of the model that came in the stream, if one did
        try:
            self._use(self._admitted(models.load(model)))
        except ValueError as error:
            raise ValueError(f"model: {error}") from error

    @abstractmethod
    def _said(self, found: Sequence[float]) -> Value:
        """What the model says of the numbers of its inputs.

        Raises:
            BadRecord: nothing that can be sent on.
        """

    def process(self, record: Record) -> Iterable[Record]:
        """The record with what the model says; nothing if a field it needs is None, or if it brings a model."""
        values, model = record.values, self._model
        if self.updates is not None and (text := values.get(self.updates)) is not None:
            self._exchange(text)
            return ()
        found = numbers(record, self._inputs)
        if len(found) < len(self._inputs):
            return self._nothing(values)
        kept: dict[str, Value] = {**found}
        units = record.units
        if model.target in values:
            kept[model.target] = values[model.target]
            if model.target in units:
                units = {**units, self.into: units[model.target]}
        kept[self.into] = self._said(list(found.values()))
        return (Record(record.id, record.source, record.time, kept, units, {**record.meta, "model": model.version}),)

    def _nothing(self, values: Mapping[str, Value]) -> Iterable[Record]:
        missing = [name for name in self._inputs if name not in values]
        if missing:
            raise BadRecord(f"{missing[0]}: the record lacks it, and model {self._model.version} needs it")
        return ()

    def _exchange(self, text: Value) -> None:
        """Go on with another model; raises BadRecord, and goes on with the old one, if it is not fit."""
        if not isinstance(text, str | bytes):
            raise BadRecord(f"{self.updates}: holds no model, but a {type(text).__name__}")
        try:
            model = self._admitted(models.read(text))
        except ValueError as error:
            raise BadRecord(f"{self.updates}: {error}") from error
        old = self._model
        if model.target != old.target:
            raise BadRecord(f"{self.updates}: {model.version} foretells {model.target}, {old.version} {old.target}")
        if other := set(model.features) ^ set(old.features):
            raise BadRecord(f"{self.updates}: {min(other)} is a feature of only one of {model.version}, {old.version}")
        self._use(model)
        self._brought = models.write(model)

    def _admitted(self, model: models.LinearModel | models.TreeModel) -> M:
        """The model, if it is of this task's kind and its names don't collide."""
        if not isinstance(model, self._kind):
            raise ValueError(f"{model.version} is no {self._kind.__struct_config__.tag}")  # noqa: TRY004 - a text's fault
        if self.into in model.features:
            raise ValueError(f"{model.version} has the feature {self.into}, which is where the result goes; set into")
        return model

    def _use(self, model: M) -> None:
        """Go on with this model."""
        self._model = model
        self._inputs = model.inputs

    def snapshot(self) -> Mapping[str, Any]:
        """The model that came in the stream, if one did."""
        return {"version": 1, "model": self._brought}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        self._brought = versioned(state, 1)["model"]
        if self._brought is not None:
            self._use(self._admitted(models.read(self._brought)))

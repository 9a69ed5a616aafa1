"""Applying a model: its features found by their names, itself exchanged within the stream."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from riot_tasks import models
from riot_tasks.errors import BadRecord
from riot_tasks.fields import numbers, versioned
from riot_tasks.models.notices import MAX_SHADOW
from riot_tasks.parameters import name, names, one_of, whole
from riot_tasks.predict import updates as arriving
from riot_tasks.predict.succession import Change, Succession
from riot_tasks.record import Aside, Record, Value, aside
from riot_tasks.task import Task

M = TypeVar("M", bound=models.LinearModel | models.TreeModel)

IN_FORCE = "_in_force"
"""End of the name of the field, in records of a model on trial, that has what the model in force says."""


class _LackingError(BadRecord):
    """A record that lacks a field."""


class Predictor(Task, Generic[M]):
    """A task that adds to each record what a model makes of its fields.

    Args:
        kind: the kind of documents it takes.
        model: path of the model's file, or the document itself; None waits for the first that comes.
        into: field for what the model says.
        updates: field in which a record brings another model; None if none does.
        features: the fields that records have; a model that needs others is refused. None: a new one must have the
            features of the one in force.
        shadow: messages for which a new model is tried before it takes over.
        promote: what follows its trial: "always", it takes over; "told", it waits to be announced without a trial.
        on_missing: what becomes of a record that lacks a field which the model needs: "reject", or "drop".
    """

    pattern = "1:1"
    shared = True
    asides = ("events", "shadow")

    def __init__(  # noqa: PLR0913 - seven keys of the config, which all predictors have
        self,
        kind: type[M],
        model: str | Mapping[str, Any] | None,
        *,
        into: str,
        updates: str | None,
        features: Sequence[str] | None,
        shadow: int,
        promote: str,
        on_missing: str,
    ) -> None:
        self._kind = kind
        self.model = model
        self.into = name("into", into)
        self.updates = None if updates is None else name("updates", updates)
        self.features = names("features", features)
        self.shadow = whole("shadow", shadow, least=0, most=MAX_SHADOW)
        self.promote = one_of("promote", promote, ("always", "told"))
        self.on_missing = one_of("on_missing", on_missing, ("reject", "drop"))
        self._absent = None if on_missing == "drop" else 0.0  # what a missing field is to a trial: filtered out, or not
        if model is None and updates is None:
            raise ValueError("model: give one, or set updates to the field in which records bring one")
        try:
            first = None if model is None else self._known(models.load(model))
        except ValueError as error:
            raise ValueError(f"model: {error}") from error
        self._models = Succession(first, patient=promote == "told")
        self._use()

    @abstractmethod
    def _said(self, model: M, found: Mapping[str, float]) -> Value:
        """What a model says of the numbers of its inputs, which are in their order.

        Raises:
            BadRecord: nothing that can be sent on.
        """

    def process(self, record: Record) -> Iterable[Record]:
        """The record with what the model says; nothing if a field it needs is None, or if it brings a model."""
        if self.updates is not None and self.updates in record.values:
            return self._updated(record)
        if self._unsettled and not self._reached(record.id):
            return ()
        model, inputs = self._model, self._inputs
        found = numbers(record, inputs)
        try:
            result = self._result(record, model, found) if len(found) == len(inputs) else self._without(record, model)
        except BadRecord as problem:
            result = self._fallen_back(record, model, problem)
        if result is None:
            return ()
        return self._tried(record, result) if self._unsettled else (result,)

    def _result(self, record: Record, model: M, found: dict[str, Any]) -> Record:
        """The record with what a model says, made of the numbers found for it."""
        values, units = record.values, record.units
        said = self._said(model, found)
        if model.target in values:
            found[model.target] = values[model.target]
            if model.target in units:
                units = {**units, self.into: units[model.target]}
        found[self.into] = said
        return Record(record.id, record.source, record.time, found, units, {**record.meta, "model": model.version})

    def _without(self, record: Record, model: M) -> Record | None:
        """Nothing, where what the model needs is None; raises _LackingError if the record lacks it."""
        missing = next((name for name in model.inputs if name not in record.values), None)
        if missing is not None:
            raise _LackingError(f"{missing}: the record lacks it, and model {model.version} needs it")
        return None

    def _fallen_back(self, record: Record, model: M, problem: BadRecord) -> Record | None:
        """What the older model says; raises the problem if there is none, or it can't say anything either.

        Gives nothing where a record that lacks something is to be dropped.
        """
        older = self._models.previous
        result = None if older is None else self._attempt(record, older)
        if result is None and self.on_missing == "drop" and isinstance(problem, _LackingError):
            return None
        if result is None:
            raise problem
        self.note("fallbacks")
        return replace(result, meta={**result.meta, "instead_of": model.version})

    def _attempt(self, record: Record, model: M) -> Record | None:
        """What another model than the one in force makes of a record; None if nothing."""
        try:
            found = numbers(record, model.inputs)
            return self._result(record, model, found) if len(found) == len(model.inputs) else None
        except BadRecord:
            return None

    def _reached(self, message: int) -> bool:
        """Whether there is a model at this message, at which a trial may be over."""
        before = self._models.current
        self._models.reach(message)
        self._use()
        if before is None:
            self.note("records before any model")
        elif self._models.current is not before:
            self.note("models promoted")
        return before is not None

    def _tried(self, record: Record, result: Record) -> Sequence[Record]:
        """The result, and beside it, at messages of the trial, what the other model says."""
        candidate = self._models.on_trial(record.id)
        if candidate is None or any(record.values.get(each, self._absent) is None for each in candidate.inputs):
            return (result,)
        return result, self._beside(record, candidate, result)

    def _beside(self, record: Record, candidate: M, result: Record) -> Aside:
        """What a model on trial says, with what was said by the one in force."""
        tried = self._attempt(record, candidate)
        values: dict[str, Value] = {self.into: None}
        if tried is not None:
            values = tried.values
        elif candidate.target in record.values:
            values[candidate.target] = record.values[candidate.target]
        values = {**values, self.into + IN_FORCE: result.values[self.into]}
        meta = {**record.meta, "model": candidate.version, "beside": self._model.version}
        return aside(replace(result, values=values, meta=meta), "shadow")

    def _updated(self, record: Record) -> Iterable[Record]:
        """Go on with the model that a record brings, or with the one in force if that is not fit; events say which."""
        if self.updates is None or not arriving.is_for(record, str(self._kind.__struct_config__.tag)):
            return ()
        self._models.reach(record.id)
        try:
            model = self._fitting(self._known(arriving.brought(record, self.updates)))
            changes = self._models.offer(model, record.id, arriving.trial(record), self.shadow)
        except ValueError as error:
            changes = [self._refused(record, error)]
        self._use()
        return [self._event(record, change) for change in changes]

    def _refused(self, record: Record, error: ValueError) -> Change:
        current = self._models.current
        return Change("refused", arriving.called(record), "" if current is None else current.version, str(error))

    def _event(self, record: Record, change: Change) -> Aside:
        self.note("models " + change.event.replace("_", " "))
        values: dict[str, Value] = {each: value for each, value in change._asdict().items() if value}
        return aside(Record(record.id, record.source, record.time, values, {}, record.meta), "events")

    def _known(self, model: models.LinearModel | models.TreeModel) -> M:
        """The model, if it is of this task's kind, its names don't collide, and records have what it needs."""
        if not isinstance(model, self._kind):
            raise ValueError(f"{model.version} is no {self._kind.__struct_config__.tag}")  # noqa: TRY004 - a text's fault
        if self.into in model.features:
            raise ValueError(f"{model.version} has the feature {self.into}, which is where the result goes; set into")
        if self.features is not None and (other := set(model.inputs) - set(self.features)):
            raise ValueError(f"{model.version} needs {min(other)}, which is not among the features")
        return model

    def _fitting(self, model: M) -> M:
        """The model, if it is for the same purpose as the one in force."""
        old = self._models.current
        if old is not None and model.target != old.target:
            raise ValueError(f"{model.version} foretells {model.target}, {old.version} {old.target}")
        if old is not None and self.features is None and (other := set(model.features) ^ set(old.features)):
            raise ValueError(f"{min(other)} is a feature of only one of {model.version}, {old.version}")
        return model

    def _use(self) -> None:
        """Have at hand what each record asks for."""
        current = self._models.current
        self._unsettled = current is None or self._models.candidate is not None
        if current is not None:
            self._model: M = current
            self._inputs = current.inputs

    def snapshot(self) -> Mapping[str, Any]:
        """The models that came in the stream, and how far a trial is."""
        return self._models.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `snapshot` gave."""
        self._models.load(versioned(state, 2), lambda text: self._known(models.read(text)))
        self._use()

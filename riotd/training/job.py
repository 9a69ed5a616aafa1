"""A job of training, as a file or a command line says it."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from riot_tasks.predict.label_quantiles import LabelQuantiles
from riotd import units
from riotd.bounded.parsing import when
from riotd.config import document
from riotd.errors import ConfigError, Mistake
from riotd.training import ranges
from riotd.training.folds import LEAST
from riotd.training.scores import OF_KIND

Positive = Annotated[int, Meta(ge=1)]
Labels = dict[str, float]

_FOLDS = 20
"""Rounds at most: each learns from nearly the same rows as the next."""
_NAME = 100
"""Characters of the beginning of a version."""
_REMEDIES = {
    "model": "write tree or regression",
    "label": "write quantiles, or {LOW: 1, HIGH: 80}",
    "format": "write senml, riotbench, csv or json",
}
"""Key to what may stand there."""


class Announcement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it is told that there is a new model.

    Attributes:
        url: of the broker.
        topic: to which; {kind} in it is linear_regression or decision_tree, {target} what the model foretells.
        username: for the broker.
        password_file: path of a file that holds the password.
        shadow: messages for which the model scores beside the one in use; None is what its users do.
    """

    url: str
    topic: str = "riotd/models/{kind}"
    username: str | None = None
    password_file: str | None = None
    shadow: Annotated[int, Meta(ge=0)] | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be trained, from what, and where the model goes.

    Attributes:
        model: `tree`, which tells classes apart, or `regression`, which foretells a number.
        inputs: files or patterns of them; or the URL of a store of tables.
        target: the field to foretell; with `label`, the field whose numbers are made classes of.
        features: the fields to learn from; none is all others that hold numbers.
        label: makes classes of the target: "quantiles" by RIoTBench's percentiles, or label to the percentile from
            which on it is given, rising.
        into: what the class is called then; the model's target.
        name: what the model's version begins with; "" is the table's or the first file's name.
        table: of the store; `partition` is what in it, `credentials` a reference to what opens it.
        since: the history begins: ISO 8601, Unix seconds, or a duration before now.
        until: and ends, without that instant itself; None is now for a table.
        format: of the files' lines; None is as the first ones are.
        schema: path of a schema file for CSV.
        window: how much history is tried, see `ranges`; None is from a hundred rows or so to all.
        depth: comparisons for a row that are tried.
        leaf: rows in a leaf that are tried; None is up to a fiftieth of the history.
        score: figure to choose by; None is the usual one of the model.
        trials: settings that are tried.
        folds: rounds of cross-validation in each.
        seed: of the draw of settings.
        workers: processes side by side; None is as many as there are processors.
        address: of a running Ray.
        max_rows: rows that are taken.
        store: URL of the store where the model is kept; `prefix` is put in front of its name.
        output: path of a file for it.
        announce: where that is told.
    """

    model: Literal["tree", "regression"]
    inputs: Annotated[list[str], Meta(min_length=1)]
    target: Annotated[str, Meta(min_length=1)]
    features: list[str] = []
    label: Literal["quantiles"] | Labels | None = None
    into: str = "label"
    name: Annotated[str, Meta(max_length=_NAME)] = ""
    table: str | None = None
    partition: str = "all"
    credentials: dict[str, str] | None = None
    since: str | float | None = None
    until: str | float | None = None
    format: Literal["senml", "riotbench", "csv", "json"] | None = None
    schema: str | None = None
    window: str | int | None = None
    depth: str | int = "1..20"
    leaf: str | int | None = None
    score: str | None = None
    trials: Positive = 20
    folds: Annotated[int, Meta(ge=1, le=_FOLDS)] = 5
    seed: int = 0
    workers: Positive | None = None
    address: str | None = None
    max_rows: Annotated[int, Meta(ge=2 * LEAST * 2)] = 5_000_000
    store: str | None = None
    prefix: str = ""
    output: str | None = None
    announce: Announcement | None = None

    @property
    def figure(self) -> str:
        """The figure to choose by."""
        return self.score or OF_KIND[self.model][0]

    @property
    def labels(self) -> Labels | None:
        """Label to the percentile from which on it is given; None for RIoTBench's, and where there are none."""
        return self.label if isinstance(self.label, dict) else None

    @property
    def from_table(self) -> bool:
        """Whether the history is in a table."""
        return "://" in self.inputs[0] or self.inputs[0].startswith("sqlite:")


def load(file: Path | None, options: Mapping[str, Any]) -> Job:
    """The job in a file, options put over it.

    Args:
        file: YAML with the attributes of `Job`; None if the options say all.
        options: attributes that hold instead of the file's.

    Raises:
        ConfigError: with every mistake.
    """
    data: dict[str, Any] | None = {}
    mistakes: list[Mistake] = []
    if file is not None:
        data, mistakes = document.read(file)
    if data is None:
        raise ConfigError(mistakes)
    if isinstance(data.get("announce"), dict) and isinstance(options.get("announce"), dict):
        options = {**options, "announce": {**data["announce"], **options["announce"]}}
    job, found = _converted({**data, **options})
    mistakes += [msgspec.structs.replace(each, where=f"{file}: {each.where}" if file else each.where) for each in found]
    if job is None or mistakes:
        raise ConfigError(mistakes)
    return job


def times(job: Job, now: float) -> tuple[float, float]:
    """From when to when the history is wanted, Unix seconds.

    Args:
        job: which says so.
        now: Unix seconds; where a table's history ends by itself.

    Raises:
        ConfigError: one of them is no time, or the first is after the second.
    """
    since = 0.0 if job.since is None and job.from_table else _time("since", job.since, now, float("-inf"))
    until = _time("until", job.until, now, now if job.from_table else float("inf"))
    if since >= until:
        raise ConfigError([Mistake("since", f"{job.since} is not before until, {job.until or 'now'}")])
    return since, until


def _time(where: str, said: str | float | None, now: float, otherwise: float) -> float:
    if said is None:
        return otherwise
    found = when({"time": said}, float("nan"))
    if found == found:  # noqa: PLR0124 - not NaN
        return found
    try:
        return now - units.seconds(said)
    except ValueError:
        what = f"{said!r} is no time"
        raise ConfigError([Mistake(where, what, "write 2026-11-01, 2026-11-01T12:00Z or, before now, 7d")]) from None


def _converted(data: Mapping[str, Any]) -> tuple[Job | None, list[Mistake]]:
    """The job, if there is one in the data, and all that is wrong with it."""
    known = {field.name: field for field in msgspec.structs.fields(Job)}
    mistakes = [Mistake(name, "there is no such key", _meant(name, list(known))) for name in data if name not in known]
    mistakes += [
        Mistake(name, "is missing") for name, field in known.items() if field.required and data.get(name) is None
    ]
    found: dict[str, Any] = {}
    for name, field in known.items():
        if data.get(name) is None:
            continue
        try:
            found[name] = msgspec.convert(data[name], field.type)
        except msgspec.ValidationError as error:
            text = str(error).replace(" - at `$", " at `")
            mistakes.append(Mistake(name, text[:1].lower() + text[1:], _REMEDIES.get(name, "")))
    if mistakes:
        return None, mistakes
    job = Job(**found)
    return job, _contradictions(job)


def _contradictions(job: Job) -> list[Mistake]:
    """What does not go together."""
    found = []
    if job.model == "regression" and job.label is not None:
        found.append(Mistake("label", "makes classes, and a regression foretells a number", "leave it out"))
    if job.figure not in OF_KIND[job.model]:
        found.append(Mistake("score", f"a {job.model} has no {job.score}", f"write {' or '.join(OF_KIND[job.model])}"))
    if job.from_table and not job.table:
        found.append(Mistake("table", "is missing; a store has several"))
    if job.from_table and len(job.inputs) > 1:
        found.append(Mistake("inputs", "has a table and something else", "one history is in a table or in files"))
    if job.announce and not job.store:
        found.append(Mistake("store", "is missing; others fetch there what is announced to them"))
    if job.target in job.features and job.label is None:
        found.append(Mistake("target", f"{job.target} is among the features", "foretell one field by the others"))
    if job.label is not None and job.into in job.features:
        found.append(Mistake("into", f"{job.into} is among the features", "call the class by another name"))
    return found + _ill_written(job)


def _ill_written(job: Job) -> list[Mistake]:
    """Ranges and labels that are none."""
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("window", lambda: ranges.windows(job.window or ranges.ALL, whole=job.max_rows, seconds=float("inf"))),
        ("depth", lambda: ranges.numbers(job.depth, least=1, most=ranges.DEEPEST)),
        ("leaf", lambda: ranges.numbers(job.leaf or 1, least=1, most=job.max_rows)),
        ("label", lambda: LabelQuantiles(labels=job.labels)),
    ]
    found = []
    for where, attempt in attempts:
        try:
            attempt()
        except ValueError as error:
            found.append(Mistake(where, str(error).removeprefix("labels: ")))
    return found


def _meant(name: str, known: list[str]) -> str:
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(known)}"

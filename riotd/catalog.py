"""The tasks there are: registered names, RIoTBench's names, `module:Class`.

Registered means an entry point of the group `riotd.tasks`, in any installed distribution. Asking for names imports
nothing; asking for a task imports its module only.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from inspect import Parameter, isabstract, signature
from types import UnionType
from typing import Any, Union, get_origin, get_type_hints

import msgspec

from riot_tasks.showing import shown
from riot_tasks.task import Task

GROUP = "riotd.tasks"

RIOTBENCH = {
    "annotate": ("ANN", "Annotate"),
    "csv_to_senml": ("C2S", "CsvToSenML"),
    "senml_parse": ("SML", "SenMlParse"),
    "xml_parse": ("XML", "XMLParse"),
    "bloom_filter": ("BLF", "BloomFilterCheck"),
    "range_filter": ("RGF", "RangeFilterCheck"),
    "accumulate": ("ACC", "Accumlator"),
    "average": ("AVG", "BlockWindowAverage"),
    "distinct_count": ("DAC", "DistinctApproxCount"),
    "kalman_filter": ("KAL", "KalmanFilter"),
    "second_moment": ("SOM", "SecondOrderMoment"),
    "decision_tree_classify": ("DTC", "DecisionTreeClassify"),
    "decision_tree_train": ("DTT", "DecisionTreeTrain"),
    "interpolate": ("INP", "Interpolation"),
    "linear_regression": ("MLR", "LinearRegressionPredictor"),
    "linear_regression_train": ("MLT", "LinearRegressionTrain"),
    "sliding_regression": ("SLR", "SimpleLinearRegressionPredictor"),
    "blob_download": ("ABD", "AzureBlobDownload"),
    "blob_upload": ("ABU", "AzureBlobUpload"),
    "table_lookup": ("ATL", "AzureTable"),
    "table_range": ("ATR", ""),
    "table_insert": ("ATI", "AzureWrite"),
    "mqtt_publish": ("MQP", "MQTTPublish"),
    "mqtt_subscribe": ("MQS", ""),
    "local_zip": ("LZP", "ZipMultipleBuffer"),
    "remote_zip": ("RZP", ""),
    "multi_line_plot": ("PLT", "MultiLineChartPlot"),
    "noop": ("", "NoOperation"),
    "error_estimate": ("", "ErrorEstimation"),
    "pi_viete": ("", "PiByViete"),
    "bloom_train": ("", "BloomFilterTrain"),
    "join": ("", "JoinBolt"),
    "label_quantiles": ("", "AnnotateDTClass"),
    "window": ("", ""),
    "model_notice": ("", ""),
    "notice_parse": ("", ""),
    "model_compare": ("", ""),
    "json_parse": ("", ""),
}
"""Our name to the code in RIoTBench's paper (table 1) and the name in its `MicroTopologyFactory`."""


_BY_NAME = {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
}
"""msgspec's names of types in the words of the file."""


class TaskNotFound(ValueError):  # noqa: N818 - it names what happened
    """No task has this name; the message says which one may be meant."""


class BrokenTask(ValueError):  # noqa: N818 - it names what is broken
    """The name is known, but what it stands for can't be used; the message names it, its origin and the cause."""


class BadParameter(ValueError):  # noqa: N818 - it names what is bad
    """A task does not take this parameter or this value.

    Attributes:
        name: the parameter, or "" where the task's own message does not begin with one.
        what: what is wrong with it.
        remedy: what to write instead, or "".
    """

    def __init__(self, name: str, what: str, remedy: str = "") -> None:
        super().__init__((f"{name}: " if name else "") + what + (f"; {remedy}" if remedy else ""))
        self.name, self.what, self.remedy = name, what, remedy


def names() -> list[str]:
    """Every registered name, in alphabetical order."""
    return sorted(_registered())


def origin(name: str) -> str:
    """Where a registered task's class is, as `module:Class`, without importing it."""
    return _registered()[name][0].value


def distribution(name: str) -> str:
    """Name and version of the distribution that registered a task."""
    return _distribution(_registered()[name][0])


def find(name: str) -> type[Task]:
    """The task of this name.

    Args:
        name: registered (`kalman_filter`), RIoTBench's code (`KAL`) or factory name (`KalmanFilter`), or
            `module:Class`. Upper and lower case, `_` and `-` make no difference where it stays unambiguous.

    Raises:
        TaskNotFound: there is none.
        BrokenTask: it can't be imported, is missing in its module, is no `Task`, or two distributions claim the name.
    """
    if ":" in name:
        return _loaded(name, f"task {name!r}")
    points = _registered()[resolve(name)]
    point = points[0]
    if len(points) > 1:
        claims = " and ".join(f"{other.value} ({_distribution(other)})" for other in points)
        raise BrokenTask(f"task {point.name!r} is registered twice, by {claims}; write it as module:Class")
    return _loaded(point.value, f"task {point.name!r}, {point.value} of the distribution {_distribution(point)},")


def resolve(name: str) -> str:
    """The registered name that any of a task's names stands for.

    Raises:
        TaskNotFound: there is none.
    """
    registered = _registered()
    if name in registered:
        return name
    found = {target for alias, target in _aliases() if _plain(alias) == _plain(name)}
    if len(found) == 1:
        return found.pop()
    if found:
        raise TaskNotFound(f"{name!r} may be {' or '.join(sorted(found))}")
    near = {_plain(alias): target for alias, target in _aliases()}
    close = [near[key] for key in get_close_matches(_plain(name), near, n=1)]
    hint = f"did you mean {close[0]!r}?" if close else "`riotd tasks` lists what there is"
    raise TaskNotFound(f"there is no task {name!r}; {hint}")


def create(name: str, params: Mapping[str, Any]) -> Task:
    """A new instance of a task.

    Raises:
        TaskNotFound, BrokenTask: as `find`.
        BadParameter: it does not take these parameters: an unknown or missing one, a wrong type, a refused value.
    """
    return construct(find(name), params)


def construct(task: type[Task], params: Mapping[str, Any]) -> Task:
    """A new instance of a task's class; errors as `create`."""
    if mistakes := parameter_mistakes(task, params):
        raise mistakes[0]
    return task(**params)


def parameter_mistakes(task: type[Task], params: Mapping[str, Any]) -> list[BadParameter]:
    """All that is wrong with a task's parameters: names, values by its constructor, types by its annotations."""
    known = signature(task).parameters
    open_ended = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in known.values())
    mistakes = [] if open_ended else [*_unknown(params, known), *_absent(task, params, known)]
    if not mistakes:
        try:
            task(**params)
        except (ValueError, TypeError) as error:
            mistakes = [_about(str(error), known)]
    named = {mistake.name.partition(".")[0] for mistake in mistakes}
    types = [mistake for mistake in _type_mistakes(task, params) if mistake.name not in named]
    return types if types and named == {""} else mistakes + types


def _unknown(params: Mapping[str, Any], known: Mapping[str, Parameter]) -> list[BadParameter]:
    return [
        BadParameter(name, "there is no such parameter", _meant(name, known)) for name in params if name not in known
    ]


def _absent(task: type[Task], params: Mapping[str, Any], known: Mapping[str, Parameter]) -> list[BadParameter]:
    return [
        BadParameter(name, f"{task.__name__} needs this parameter")
        for name, parameter in known.items()
        if parameter.default is Parameter.empty and parameter.kind in _BY_NAME and name not in params
    ]


def _type_mistakes(task: type[Task], params: Mapping[str, Any]) -> list[BadParameter]:
    mistakes = []
    for name, hint in hints(task).items():
        if name not in params:
            continue
        try:
            msgspec.convert(params[name], hint)
        except msgspec.ValidationError as error:
            mistakes.append(BadParameter(name, _type_text(str(error), params[name])))
        except TypeError:  # a type that msgspec can't check, such as a union with both str and bytes
            continue
        except ValueError:  # a text in which half a character stands, where none is wanted
            wanted = type_text(hint)
            mistakes.append(BadParameter(name, f"must be {_WORDS.get(wanted, wanted)} (is {shown(params[name])})"))
    return mistakes


def _type_text(message: str, value: object) -> str:
    """What msgspec says, in our words: where inside the value, what is wanted, what is there."""
    text, _, path = message.partition(" - at `$")
    if not text.startswith("Expected "):
        return f"{text[:1].lower()}{text[1:]} (is {shown(value)})"
    wanted = text.removeprefix("Expected ").partition(", got ")[0].replace("`", "").replace(" | ", " or ")
    wanted = " ".join(_WORDS.get(word, word) for word in wanted.split())
    place = f" at {path.rstrip('`')}" if path.rstrip("`") else ""
    return f"must be {wanted}{place} (is {shown(value)})"


def hints(task: type[Task]) -> dict[str, Any]:
    """The constructor's parameters and their types, as far as they are annotated and can be resolved."""
    constructor: Callable[..., None] = task.__init__
    try:
        found = get_type_hints(constructor)
    except (NameError, TypeError):
        return {}
    found.pop("return", None)
    return found


def wants_payload(task: type[Task], params: Mapping[str, Any]) -> bool:
    """Whether a task with these parameters reads raw messages, as `senml_parse` does: its `field` is `payload`."""
    field = signature(task).parameters.get("field")
    return field is not None and params.get("field", field.default) == "payload"


def type_text(hint: object) -> str:
    """A type as a person reads it: `list[str]`, `float | None`."""
    if get_origin(hint) in (Union, UnionType) or not isinstance(hint, type) or get_origin(hint):
        return re.sub(r"\b(?:typing|collections\.abc|riot_tasks\.\w+)\.", "", str(hint)).replace("NoneType", "None")
    return hint.__name__


def _about(message: str, known: Mapping[str, object]) -> BadParameter:
    """The constructor's complaint; where it begins with a parameter's name, it is about that one."""
    found = re.match(r"[`'\"]?((\w+)[\w.\[\]-]*)[`'\"]?:?\s+(.*)", message, re.DOTALL)
    return BadParameter(found[1], found[3]) if found and found[2] in known else BadParameter("", message)


def _meant(name: str, known: Mapping[str, object]) -> str:
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"there are {', '.join(known)}" if known else "it takes none"


def _loaded(place: str, what: str) -> type[Task]:
    module, _, attribute = place.partition(":")
    try:
        found: Any = import_module(module)
        for part in attribute.strip().split("."):
            found = getattr(found, part)
    except Exception as error:  # an import runs anybody's code: whatever it raises is the plugin's fault
        raise BrokenTask(f"{what} can't be loaded: {type(error).__name__}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Task)):
        raise BrokenTask(f"{what} is not a subclass of riot_tasks.Task")
    if isabstract(found):
        raise BrokenTask(f"{what} has no method process")
    return found


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _aliases() -> list[tuple[str, str]]:
    """Every name a registered task goes by, with its registered name."""
    return [(alias, name) for name in _registered() for alias in (name, *RIOTBENCH.get(name, ())) if alias]


@cache
def _registered() -> dict[str, list[EntryPoint]]:
    """Name to its entry points: one, or several where distributions quarrel."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        points = found.setdefault(point.name, [])
        if point.value not in [other.value for other in points]:
            points.append(point)
    return found

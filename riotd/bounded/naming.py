"""What is to be run, by its name: a task's, a class's, the path of a configuration."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from riot_tasks.task import Task
from riotd import catalog
from riotd.bounded.flows import Flow
from riotd.dataflow import Stage
from riotd.errors import ConfigError, Mistake

_CONFIGS = (".yaml", ".yml")

FlowLike = str | Path | type[Task] | Flow
"""A name that `riotd tasks` lists, RIoTBench's code or `module:Class`, or the class itself; the path of a
configuration; or a flow."""


def flow(
    task: FlowLike,
    params: Mapping[str, Any] | None = None,
    *,
    path: Sequence[str] = (),
    overlays: Sequence[str] = (),
) -> Flow:
    """What a name stands for.

    Args:
        task: a name that `riotd tasks` lists, `module:Class`, or the class; or the path of a configuration, `.yaml` or
            `.yml`.
        params: the task's parameters; of a configuration, dotted keys to override.
        path: where workers look for tasks named `module:Class`, before everywhere else.
        overlays: of a configuration, names or paths of files to lay over it.

    Raises:
        ConfigError: with every mistake: no such task, a wrong or missing parameter, a model that can't be read.
    """
    if isinstance(task, Flow):
        return task
    if not isinstance(task, type) and str(task).endswith(_CONFIGS):
        from riotd.bounded.configs import from_config  # noqa: PLC0415 - pydantic takes 0.2 s, for other flows in vain

        return from_config(Path(task), params or {}, path, overlays=overlays)
    name = f"{task.__module__}:{task.__qualname__}" if isinstance(task, type) else str(task)
    params = dict(params or {})
    try:
        kind = catalog.find(name)
    except (catalog.TaskNotFound, catalog.BrokenTask) as error:
        raise ConfigError([Mistake("task", str(error))]) from error
    known = name if ":" in name else catalog.resolve(name)
    if wrong := catalog.parameter_mistakes(kind, params):
        raise ConfigError([
            Mistake(".".join(filter(None, (known, each.name))), each.what, each.remedy) for each in wrong
        ])
    stage = Stage(known.rpartition(":")[2], known, params)
    return Flow(known, (stage,), (stage.id,), path=tuple(path))

"""The battery every task passes: `check_task`, for the tasks of this library and for yours.

River's idea (its `checks` for every estimator): what the contract promises is tested once, for all.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from riot_tasks.record import Record
from riot_tasks.task import Task
from riot_tasks.testing.cases import Case
from riot_tasks.testing.checks import CHECKS
from riot_tasks.testing.outside import Outside

__all__ = ["CHECKS", "Outside", "check_task"]


def check_task(
    cls: type[Task],
    examples: Sequence[tuple[Mapping[str, Any], Sequence[Record]]],
    *,
    records: int = 10_000,
    outside: Outside | None = None,
) -> None:
    """Put a task through everything the contract of `Task` promises.

    Args:
        cls: the task's class.
        examples: pairs of constructor arguments and the records to give such a task, in order; a few dozen
            records each, of every kind the task tells apart. Keep windows far smaller than `records`.
        records: how many are fed to see that the state stays bounded; fewer for a task whose every record costs I/O.
        outside: for a task that does I/O, how to put the store it works on as the examples expect it, and how to
            look into it; without, nothing is put back, and what it leaves there is not compared.

    Raises:
        AssertionError: a promise is broken; lists all that are, each by its sentence in `CHECKS`.
        ValueError: there is no example, or one without records.
    """
    if not examples or not all(inputs for _, inputs in examples):
        raise ValueError("examples: give at least one, each with at least one record")
    world = outside or Outside()
    faults = [
        f"{cls.__name__}({shown}): {_sentence(check)}: {fault}"
        for params, inputs in examples
        for shown in [", ".join(f"{name}={value!r}" for name, value in params.items())]
        for check in CHECKS
        if (fault := _tried(check, Case(cls, params, deepcopy(inputs), records, world)))
    ]
    if faults:
        raise AssertionError("\n".join(faults))


def _tried(check: Callable[[Case], str | None], case: Case) -> str | None:
    case.outside.reset()
    try:
        return check(case)
    except Exception as error:  # noqa: BLE001 - a task under test may raise anything, and that is a finding
        return f"raised {type(error).__name__}: {error}"


def _sentence(check: Callable[[Case], str | None]) -> str:
    return (check.__doc__ or "").split(".")[0].strip()

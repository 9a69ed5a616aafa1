from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import Record, Task
from riot_tasks.testing import CHECKS, Outside, check_task
from tests.riot_tasks.broken import docs, given, memory, output, outside, state
from tests.riot_tasks.broken.sound import Drawer, Shelf, Sum

BROKEN = [*docs.BROKEN, *state.BROKEN, *given.BROKEN, *output.BROKEN, *memory.BROKEN]
RECORDS = [
    Record(number, f"dev{number % 3}", float(number), {"x": number * 0.5, "y": "text"}, {"x": "Cel"}, {"bn": "a"})
    for number in range(1, 25)
]
STORE = "memory://shelf"
IN_MEMORY = Outside(reset=Shelf.stores.clear, look=lambda: Shelf.stores.get(STORE))


def _faults(cls: type[Task], params: Mapping[str, Any], world: Outside | None = None) -> str:
    with pytest.raises(AssertionError) as failed:
        check_task(cls, [(params, RECORDS)], outside=world)
    return str(failed.value)


@cache
def _faults_of_its_own(cls: type[Task]) -> str:
    return _faults(cls, {})


@cache
def _faults_outside(cls: type[Task]) -> str:
    return _faults(cls, {"url": STORE}, IN_MEMORY)


def test_a_sound_task_passes() -> None:
    """A task that keeps every promise raises nothing, with any of its parameters."""
    check_task(Sum, [({}, RECORDS), ({"start": 5.0}, RECORDS)])


def test_a_sound_task_with_a_store_passes() -> None:
    """A task that does I/O passes too, whether its store in memory is looked into and put back, or not."""
    for world in (IN_MEMORY, None):
        check_task(Shelf, [({"url": STORE}, RECORDS)], outside=world, records=2000)


def test_a_sound_task_with_files_passes(tmp_path: Path) -> None:
    """A task that writes files passes, its folder emptied before each check and compared after a crash."""

    def reset() -> None:
        for path in tmp_path.iterdir():
            path.unlink()

    def look() -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(tmp_path.iterdir())}

    check_task(Drawer, [({"url": str(tmp_path)}, RECORDS)], outside=Outside(reset, look), records=200)


@pytest.mark.parametrize(("cls", "sentence"), BROKEN, ids=lambda part: getattr(part, "__name__", None))
def test_each_promise_broken_is_found(cls: type[Task], sentence: str) -> None:
    """A task that breaks one promise fails, and the message says which."""
    said = _faults_of_its_own(cls)
    assert sentence in said
    assert said.startswith(f"{cls.__name__}(): ")


@pytest.mark.parametrize(("cls", "sentence"), outside.BROKEN, ids=lambda part: getattr(part, "__name__", None))
def test_each_mess_outside_is_found(cls: type[Task], sentence: str) -> None:
    """A task that leaves its store otherwise after a replay or a crash fails, and the message says which."""
    assert sentence in _faults_outside(cls)


def test_parameters_that_are_changed_are_found() -> None:
    """A task that puts its state into a list it was given fails, since all its instances are given that list."""
    assert "it was given {'seen': []}, and made {'seen': [150.0]} of that" in _faults(
        docs.FillsItsParameter, {"seen": []}
    )


def test_the_world_is_put_back_before_each_check() -> None:
    """Every check finds the world as it was reset, and no check is left out."""
    resets: list[None] = []
    check_task(Sum, [({}, RECORDS)], outside=Outside(reset=lambda: resets.append(None)))
    assert len(resets) >= len(CHECKS)


def test_every_check_has_a_task_that_fails_it() -> None:
    """No check is there that no broken task of these tests would fail."""
    said = _faults(docs.FillsItsParameter, {"seen": []})
    said += "".join(_faults_of_its_own(cls) for cls, _ in BROKEN)
    said += "".join(_faults_outside(cls) for cls, _ in outside.BROKEN)
    assert [check.__name__ for check in CHECKS if _sentence(check) not in said] == []


def _sentence(check: Callable[..., object]) -> str:
    return (check.__doc__ or "").split(".")[0]


def test_all_broken_promises_are_listed_at_once() -> None:
    """A task with two faults gets a line for each, for each example."""
    with pytest.raises(AssertionError) as failed:
        check_task(output.UnknownPattern, [({}, RECORDS), ({"start": 1.0}, RECORDS)])
    lines = str(failed.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["UnknownPattern()", "UnknownPattern(start=1.0)"]


@pytest.mark.parametrize("examples", [[], [({}, [])]])
def test_no_example_is_no_check(examples: list[Any]) -> None:
    """Without records nothing would be checked, so that is an error."""
    with pytest.raises(ValueError, match="give at least one"):
        check_task(Sum, examples)

from typing import Any

import pytest

from riot_tasks import Record, Task
from riot_tasks.testing import CHECKS, check_task
from tests.riot_tasks.broken_tasks import BROKEN, Sum, UnknownPattern

RECORDS = [
    Record(number, f"dev{number % 3}", float(number), {"x": number * 0.5, "y": "text"}, {"x": "Cel"}, {"bn": "a"})
    for number in range(1, 25)
]


def test_a_sound_task_passes() -> None:
    """A task that keeps every promise raises nothing, with any of its parameters."""
    check_task(Sum, [({}, RECORDS), ({"start": 5.0}, RECORDS)])


@pytest.mark.parametrize(("cls", "sentence"), BROKEN, ids=lambda part: getattr(part, "__name__", None))
def test_each_promise_broken_is_found(cls: type[Task], sentence: str) -> None:
    """A task that breaks one promise fails, and the message says which."""
    with pytest.raises(AssertionError) as failed:
        check_task(cls, [({}, RECORDS)])
    assert sentence in str(failed.value)
    assert str(failed.value).startswith(f"{cls.__name__}(): ")


def test_every_check_has_a_task_that_fails_it() -> None:
    """No check is there that no broken task of these tests would fail."""
    said = ""
    for cls, _ in BROKEN:
        with pytest.raises(AssertionError) as failed:
            check_task(cls, [({}, RECORDS)])
        said += str(failed.value)
    assert [check.__name__ for check in CHECKS if (check.__doc__ or "").split(".")[0] not in said] == []


def test_all_broken_promises_are_listed_at_once() -> None:
    """A task with two faults gets a line for each, for each example."""
    with pytest.raises(AssertionError) as failed:
        check_task(UnknownPattern, [({}, RECORDS), ({"start": 1.0}, RECORDS)])
    lines = str(failed.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["UnknownPattern()", "UnknownPattern(start=1.0)"]


@pytest.mark.parametrize("examples", [[], [({}, [])]])
def test_no_example_is_no_check(examples: list[Any]) -> None:
    """Without records nothing would be checked, so that is an error."""
    with pytest.raises(ValueError, match="give at least one"):
        check_task(Sum, examples)

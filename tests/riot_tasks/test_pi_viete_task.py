from math import pi
from typing import Any

import pytest

from riot_tasks import Record
from riot_tasks.pi_viete import PiViete
from riot_tasks.testing import check_task


def test_every_record_becomes_pi() -> None:
    """Whatever a record holds, the result has its id, source, time and meta, and pi as its only field."""
    record = Record(7, "dev7", 5.0, {"temperature": "cold"}, {"temperature": "Cel"}, {"bn": "x"})
    (result,) = PiViete().process(record)
    assert abs(result.values["pi"] - pi) <= 1e-15
    assert result == Record(7, "dev7", 5.0, result.values, {}, {"bn": "x"})


def test_the_original_has_single_precision() -> None:
    """With parity the result is the float that is nearest to pi."""
    (result,) = PiViete(iterations=100, parity=True).process(Record(1, "dev7", 0.0, {}))
    assert result.values == {"pi": 3.1415927410125732}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"iterations": 0}, "iterations: must be a whole number from 1 to 10000"),
        ({"iterations": 10_001}, "iterations: must be a whole number from 1 to 10000"),
        ({"parity": "yes"}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        PiViete(**params)


def test_it_keeps_the_contract() -> None:
    """It passes the public battery, either way."""
    records = [Record(number, "dev1", float(number), {"a": 1.0 * number}) for number in range(10)]
    check_task(PiViete, [({"iterations": 10}, records), ({"iterations": 5, "parity": True}, records)])

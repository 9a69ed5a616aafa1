from typing import Any

import pytest

from riot_tasks import Record, Value
from riot_tasks.statistics.distinct_count import DistinctCount


def _counts(task: DistinctCount, records: list[Record]) -> list[Value]:
    return [result.values["distinct_count"] for record in records for result in task.process(record)]


def test_sources_are_counted_after_every_record() -> None:
    """Each record gives the running number of different sources, exactly while they are few."""
    records = [Record(number, f"dev{number % 3}", 0.0, {}) for number in range(6)]
    assert _counts(DistinctCount(), records) == [1, 2, 3, 3, 3, 3]


def test_values_of_a_field_are_counted() -> None:
    """With a field's name its different values are counted, 8, 8.0 and "8" as one; None and absence give nothing."""
    values: list[Value] = [8, 8.0, "8", None, True, b"8", "north"]
    records = [Record(1, "dev7", 0.0, {"place": value}) for value in values]
    assert _counts(DistinctCount("place"), [*records, Record(1, "dev7", 0.0, {})]) == [1, 1, 1, 2, 2, 3]


def test_a_trigger_chooses_the_records() -> None:
    """With a trigger only records in which that field has a value are counted and answered."""
    task = DistinctCount(trigger="temperature")
    heads: list[dict[str, Value]] = [{"humidity": 1.0}, {"temperature": None}, {"temperature": 20.0}]
    assert _counts(task, [Record(1, f"dev{at}", 0.0, values) for at, values in enumerate(heads)]) == [1]


def test_the_result_has_the_count_only() -> None:
    """The result's only field is the count, with its unit; id, source, time and meta stay, the other units go."""
    record = Record(7, "dev7", 5.0, {"a": 1.0}, {"a": "Cel"}, {"bn": "x"})
    expected = Record(7, "dev7", 5.0, {"distinct_count": 1}, {"distinct_count": "count"}, {"bn": "x"})
    assert list(DistinctCount().process(record)) == [expected]


def test_parity_gives_the_originals_estimates() -> None:
    """With parity the estimates are RIoTBench's, which start at 813 for 10 bits."""
    records = [Record(1, f"dev{number}", 0.0, {}) for number in range(1000)]
    counts = _counts(DistinctCount(parity=True), records)
    assert [counts[at - 1] for at in (1, 10, 100, 1000)] == [813.0, 820.0, 857.0, 1435.0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"item": ""}, "item: must be a field's name"),
        ({"item": None}, "item: must be a field's name"),
        ({"trigger": ["a"]}, "trigger: must be a field's name"),
        ({"buckets": 21}, r"buckets: must be a whole number from 1 to 20 \(is 21\)"),
        ({"parity": "yes"}, "parity: must be true or false"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match=message):
        DistinctCount(**params)

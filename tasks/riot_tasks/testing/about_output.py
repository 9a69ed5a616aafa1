"""Does it give what may be sent on?"""

from collections.abc import Mapping
from math import isfinite

from riot_tasks.record import Aside, Record
from riot_tasks.testing.cases import Case, brief, results, run
from riot_tasks.testing.plain import not_a_record

PATTERNS = {"1:1": 1, "1:0/1": 1, "N:1": 1, "1:N": None, "N:M": None}
"""The patterns there are, and the most records one record may bring about; None is any number. Asides don't count."""


def gives_records_with_its_inputs_id(case: Case) -> str | None:
    """It gives Records of plain values, with the id of the record they follow from."""
    task, known = case.new(), {record.id for record in case.inputs}
    for record in case.inputs:
        for result in results(task, record):
            if fault := not_a_record(result):
                return fault
            if result.id != record.id:
                return f"{result!r} follows from the record with id {record.id}"
    for late in task.flush():
        if fault := not_a_record(late):
            return f"at the flush: {fault}"
        if late.id not in known:
            return f"flush gave {late!r}, an id never seen"
    return None


def gives_finite_numbers(case: Case) -> str | None:
    """It makes no NaN and no infinity, which no sink can write, of whatever it is given."""
    for start in ([], case.inputs):
        task = case.new()
        run(task, start, flush=False)
        for record in case.hostile():
            for result in results(task, record):
                if name := next((name for name in result.values if _spoilt(name, record, result)), None):
                    return f"{name} became {result.values[name]!r} at {brief(record)}"
    return None


def _spoilt(name: str, record: Record, result: Record) -> bool:
    """Whether a result's field is a number that is not finite, and the record's field of that name is not one."""
    return _infinite(result.values, name) and not _infinite(record.values, name)


def _infinite(values: Mapping[str, object], name: str) -> bool:
    value = values.get(name)
    return isinstance(value, float) and not isfinite(value)


def leaves_its_results_alone(case: Case) -> str | None:
    """It does not change what it has given: a result may be sent long after the next record came."""
    task = case.new()
    given = [(repr(result), result) for record in case.inputs for result in results(task, record)]
    list(task.flush())
    return next((f"{before} became {result!r}" for before, result in given if repr(result) != before), None)


def keeps_its_pattern(case: Case) -> str | None:
    """It gives as many records as its pattern says."""
    pattern = case.cls.pattern
    if pattern not in PATTERNS:
        return f"pattern is {pattern!r}; choose of {', '.join(PATTERNS)}"
    task, most = case.new(), PATTERNS[pattern]
    counts = (sum(not isinstance(each, Aside) for each in results(task, record)) for record in case.inputs)
    return next((f"{count} records for one, with pattern {pattern}" for count in counts if most and count > most), None)


def says_what_it_says_aside(case: Case) -> str | None:
    """Every record for an output beside the main one is for one of those it declares in `asides`."""
    task = case.new()
    given = [result for record in case.inputs for result in results(task, record)]
    others = [each.output for each in (*given, *task.flush(), *task.on_idle()) if isinstance(each, Aside)]
    strange = next((output for output in others if output not in case.cls.asides), None)
    return None if strange is None else f"it gave one for {strange!r}; asides is {case.cls.asides!r}"


def flushes_once(case: Case) -> str | None:
    """A second flush gives nothing."""
    task = case.new()
    run(task, case.inputs)
    return next((f"it gave {late!r}" for late in task.flush()), None)

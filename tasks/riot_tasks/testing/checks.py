"""The promises of the `Task` contract, each as a function that gives what breaks it, or None.

A function's docstring is its sentence in the message.
"""

import doctest
import pickle
import random
import sys
from collections.abc import Callable
from inspect import signature

import msgspec

from riot_tasks.errors import TaskError
from riot_tasks.testing.cases import Case, brief, difference, flushed, results, run, say, travelled, varied
from riot_tasks.testing.plain import not_a_record, not_plain

PATTERNS = {"1:1": 1, "1:0/1": 1, "N:1": 1, "1:N": None, "N:M": None}
"""The patterns there are, and the most records one record may bring about; None is any number."""
_SLACK = 1024  # bytes a state may differ by from one moment to the next without growing


def has_parameters_as_attributes(case: Case) -> str | None:
    """Its constructor's parameters are its public attributes, and repr shows them."""
    task = case.new()
    for name, parameter in signature(case.cls).parameters.items():
        given = case.params.get(name, parameter.default)
        if not hasattr(task, name) or getattr(task, name) != given:
            return f"{name} was given as {given!r}, the attribute is {getattr(task, name, 'missing')!r}"
        if f"{name}={given!r}" not in repr(task):
            return f"repr is {task!r}, without {name}={given!r}"
    return None


def has_runnable_docs(case: Case) -> str | None:
    """Its docstring has an example that runs, and its references."""
    docs = case.cls.__doc__ or ""
    if ">>> " not in docs:
        return "there is no line that begins with >>>"
    if "References:" not in docs:
        return "there is no section References: naming the paper, standard or page it is made after"
    names = vars(sys.modules[case.cls.__module__])
    said: list[str] = []
    for test in doctest.DocTestFinder(recurse=False).find(case.cls, case.cls.__name__, globs=names):
        doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    return "".join(said) or None


def pickles(case: Case) -> str | None:
    """It pickles at any time, and the copy goes on like the original."""
    half = len(case.inputs) // 2
    task = case.new()
    run(task, case.inputs[:half])
    twin = pickle.loads(pickle.dumps(task))  # noqa: S301 - our own bytes, made on this line
    return difference(run(task, case.inputs[half:]), run(twin, case.inputs[half:]))


def snapshots_plain_data(case: Case) -> str | None:
    """Its snapshot is plain data, with string keys, at any time."""
    task = case.new()
    for record in case.inputs:
        if fault := not_plain(task.snapshot(), "snapshot"):
            return fault
        say(task, record)
    msgspec.msgpack.encode(task.snapshot())
    return not_plain(task.snapshot(), "snapshot")


def goes_on_after_restore(case: Case) -> str | None:
    """Restored from a snapshot at any cut, it goes on as if it had never stopped."""
    whole = run(case.new(), case.inputs)
    task = case.new()
    for cut in range(len(case.inputs) + 1):
        restored = case.new()
        restored.restore(travelled(task.snapshot()))
        if fault := difference(whole[cut:], run(restored, case.inputs[cut:])):
            return f"cut before record {cut}: {fault}"
        run(task, case.inputs[cut : cut + 1], flush=False)
    return None


def keeps_snapshots_apart(case: Case) -> str | None:
    """A snapshot stays as it was taken: neither the task that gave it nor one restored from it changes it."""
    half = (len(case.inputs) + 1) // 2
    task, other = case.new(), case.new()
    run(task, case.inputs[:half], flush=False)
    taken = task.snapshot()
    before = msgspec.msgpack.encode(taken)
    other.restore(taken)
    for each in (task, other):
        run(each, case.inputs)
        if msgspec.msgpack.encode(taken) != before:
            return f"it was {msgspec.msgpack.decode(before)!r} and became {taken!r}"
    return None


def leaves_its_input_alone(case: Case) -> str | None:
    """It does not change the records it is given."""
    task = case.new()
    for record in case.inputs:
        before = repr(record)
        say(task, record)
        if repr(record) != before:
            return f"{before} became {record!r}"
    return None


def shares_nothing(case: Case) -> str | None:
    """Two instances share no state."""
    alone = run(case.new(), case.inputs)
    task, neighbour = case.new(), case.new()
    together = []
    for record, elsewhere in zip(case.inputs, reversed(case.inputs), strict=True):
        say(neighbour, elsewhere)
        together.append(say(task, record))
    return difference(alone, [*together, flushed(task)])


def replays(case: Case) -> str | None:
    """A replay gives the same results."""
    before = random.getstate()
    random.seed(1)  # unseeded randomness would agree with itself only if the generator stood still
    first = run(case.new(), case.inputs)
    random.seed(2)
    second = run(case.new(), case.inputs)
    random.setstate(before)
    return difference(first, second)


def refuses_with_bad_record(case: Case) -> str | None:
    """What it can't use makes it raise BadRecord or say nothing, never another exception."""
    for start in ([], case.inputs):
        task = case.new()
        run(task, start, flush=False)
        for record in case.hostile():
            try:
                list(task.process(record))
            except TaskError:
                pass
            except Exception as error:  # noqa: BLE001 - exactly this is looked for
                return f"raised {type(error).__name__}: {error} at {brief(record)}"
    return None


def forgets_what_it_refused(case: Case) -> str | None:
    """A record it refuses leaves no trace in its state."""
    task = case.new()
    run(task, case.inputs, flush=False)
    for record in case.hostile():
        before = msgspec.msgpack.encode(task.snapshot())
        try:
            list(task.process(record))
        except TaskError:
            if msgspec.msgpack.encode(task.snapshot()) != before:
                return f"{brief(record)} was refused and changed the snapshot"
    return None


def gives_records_with_its_inputs_id(case: Case) -> str | None:
    """It gives Records of plain values, with the id of the record they follow from."""
    task = case.new()
    for record in case.inputs:
        for result in results(task, record):
            if fault := not_a_record(result):
                return fault
            if result.id != record.id:
                return f"{result!r} follows from the record with id {record.id}"
    known = {record.id for record in case.inputs}
    return next((f"flush gave {late!r}, an id never seen" for late in task.flush() if late.id not in known), None)


def keeps_its_pattern(case: Case) -> str | None:
    """It gives as many records as its pattern says."""
    pattern = case.cls.pattern
    if pattern not in PATTERNS:
        return f"pattern is {pattern!r}; choose of {', '.join(PATTERNS)}"
    task, most = case.new(), PATTERNS[pattern]
    counts = (len(results(task, record)) for record in case.inputs)
    return next((f"{count} records for one, with pattern {pattern}" for count in counts if most and count > most), None)


def is_stateless_if_it_says_so(case: Case) -> str | None:
    """If it says it is not stateful, results do not depend on what came before."""
    if case.cls.stateful:
        return None
    task, forwards = case.new(), run(case.new(), case.inputs)
    backwards = [say(task, record) for record in reversed(case.inputs)]
    if task.snapshot():
        return f"it has a snapshot: {task.snapshot()!r}"
    return difference(forwards[:-1], backwards[::-1])


def flushes_once(case: Case) -> str | None:
    """A second flush gives nothing."""
    task = case.new()
    run(task, case.inputs)
    return next((f"it gave {late!r}" for late in task.flush()), None)


def stays_bounded(case: Case) -> str | None:
    """Its state stays bounded, however many devices, fields and values it sees."""
    task = case.new()
    sizes = []
    for count in range(case.records):
        if count in (case.records // 2, case.records - 1):
            sizes.append((len(msgspec.msgpack.encode(task.snapshot())), len(pickle.dumps(task))))
        say(task, varied(case.inputs[count % len(case.inputs)], count))
    for what, half, full in zip(("snapshot", "pickle"), *sizes, strict=True):
        if full > half + _SLACK:
            return f"the {what} has {half} bytes after {case.records // 2} records, {full} after {case.records}"
    return None


CHECKS: tuple[Callable[[Case], str | None], ...] = (
    has_parameters_as_attributes,
    has_runnable_docs,
    pickles,
    snapshots_plain_data,
    goes_on_after_restore,
    keeps_snapshots_apart,
    leaves_its_input_alone,
    shares_nothing,
    replays,
    refuses_with_bad_record,
    forgets_what_it_refused,
    gives_records_with_its_inputs_id,
    keeps_its_pattern,
    is_stateless_if_it_says_so,
    flushes_once,
    stays_bounded,
)
"""What is checked, in this order; each gives what is wrong, or None."""

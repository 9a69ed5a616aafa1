"""How does it treat what it is given, good and bad?"""

import msgspec

from riot_tasks.errors import BadRecord, TaskError
from riot_tasks.testing.cases import Case, brief, results, run, say

_LONGEST = 2000  # characters in the reason of a dead letter, which a person reads


def makes_something_of_its_examples(case: Case) -> str | None:
    """It takes a record of the example, and gives one; else nothing here would be checked."""
    task = case.new()
    if any(results(task, record) for record in case.inputs) or list(task.flush()):
        return None
    first = say(case.new(), case.inputs[0])
    return f"to the first record it says {first}; give records that it acts on, and a world that is there"


def leaves_its_input_alone(case: Case) -> str | None:
    """It does not change the records it is given, neither at once nor later."""
    task, before = case.new(), [repr(record) for record in case.inputs]
    run(task, case.inputs)
    pairs = zip(before, case.inputs, strict=True)
    return next((f"{was} became {record!r}" for was, record in pairs if repr(record) != was), None)


def refuses_with_bad_record(case: Case) -> str | None:
    """What it can't use makes it raise BadRecord or say nothing, never another exception."""
    for start in ([], case.inputs):
        task = case.new()
        run(task, start, flush=False)
        for record in case.hostile():
            try:
                list(task.process(record))
            except BadRecord:
                pass
            except TaskError as error:
                return f"raised {type(error).__name__}, to be asked again for ever: {error} at {brief(record)}"
            except Exception as error:  # noqa: BLE001 - exactly this is looked for
                return f"raised {type(error).__name__}: {error} at {brief(record)}"
    return None


def says_why_it_refuses(case: Case) -> str | None:
    """A refusal has a reason that can be read and sent: some text, not too long, of valid characters."""
    task = case.new()
    run(task, case.inputs, flush=False)
    for record in case.hostile():
        try:
            list(task.process(record))
        except TaskError as error:
            reason = str(error)
            if not reason or len(reason) > _LONGEST or reason.encode(errors="replace").decode() != reason:
                return f"it said {reason!r:.200} ({len(reason)} characters) at {brief(record)}"
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


def survives_its_input(case: Case) -> str | None:
    """Whatever it was given, it can be snapshotted, restored and flushed."""
    task = case.new()
    for record in case.hostile():
        results(task, record)
        fresh = case.new()
        fresh.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(task.snapshot())))
    list(task.flush())
    return None

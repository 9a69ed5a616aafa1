"""Does it live through restarts, journeys and crashes, and say the same again?"""

import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import msgspec

from riot_tasks.testing.cases import Case, difference, flushed, restored, run, say
from riot_tasks.testing.plain import not_plain


def pickles(case: Case) -> str | None:
    """It pickles at any time, and the copy goes on like the original."""
    whole, said = run(case.new(), case.inputs), []
    task = case.new()
    for record in case.inputs:
        task = pickle.loads(pickle.dumps(task))  # noqa: S301 - our own bytes, made on this line
        said.append(say(task, record))
    task = pickle.loads(pickle.dumps(task))  # noqa: S301 - as above
    return difference(whole, [*said, flushed(task)])


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
        if fault := difference(whole[cut:], run(restored(case, task.snapshot()), case.inputs[cut:])):
            return f"cut before record {cut}: {fault}"
        run(task, case.inputs[cut : cut + 1], flush=False)
    return None


def goes_on_after_every_restore(case: Case) -> str | None:
    """Cut between all records, each part run by a fresh one that has taken the snapshot, it says the same."""
    whole, said = run(case.new(), case.inputs), []
    task = case.new()
    for record in case.inputs:
        said.append(say(task, record))
        task = restored(case, task.snapshot())
    return difference(whole, [*said, flushed(task)])


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
    try:
        random.seed(1)  # unseeded randomness would agree with itself only if the generator stood still
        first = run(case.new(), case.inputs)
        random.seed(2)
        return difference(first, run(case.new(), case.inputs))
    finally:
        random.setstate(before)


def works_in_any_thread(case: Case) -> str | None:
    """It is called by one thread at a time, but not always by the same, and says what it says in one."""
    whole, said = run(case.new(), case.inputs), []
    with ThreadPoolExecutor(max_workers=1) as other:
        task = other.submit(case.new).result()
        for at, record in enumerate(case.inputs):
            said.append(say(task, record) if at % 2 else other.submit(say, task, record).result())
        return difference(whole, [*said, flushed(task)])


def is_stateless_if_it_says_so(case: Case) -> str | None:
    """If it says it is not stateful, results do not depend on what came before."""
    if case.cls.stateful:
        return None
    task, forwards = case.new(), run(case.new(), case.inputs)
    backwards = [say(task, record) for record in reversed(case.inputs)]
    if task.snapshot():
        return f"it has a snapshot: {task.snapshot()!r}"
    if forwards[-1] != "[]":
        return f"its flush gives {forwards[-1]}"
    return difference(forwards[:-1], backwards[::-1])

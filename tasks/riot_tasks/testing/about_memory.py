"""Does it grow?"""

import gc
import pickle
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice

import msgspec

from riot_tasks.record import Record
from riot_tasks.testing.cases import Case, results, varied

_SLACK = 1024  # bytes a state may differ by from one moment to the next without growing
_ROOM = 32_768  # bytes the process may: caches of the interpreter's and of libraries, other threads
_TRACED = 4  # share of the records that memory is traced for, since it takes several times as long
_HOSTILE = 2  # one in so many of them is a broken one


def stays_bounded(case: Case) -> str | None:
    """Its state stays bounded, however many devices, fields and values it sees."""
    task = case.new()
    sizes = []
    for count in range(case.records):
        if count in (case.records // 2, case.records - 1):
            sizes.append((len(msgspec.msgpack.encode(task.snapshot())), len(pickle.dumps(task))))
        results(task, varied(case.inputs[count % len(case.inputs)], count))
    for what, half, full in zip(("snapshot", "pickle"), *sizes, strict=True):
        if full > half + _SLACK:
            return f"the {what} has {half} bytes after {case.records // 2} records, {full} after {case.records}"
    return None


def takes_no_memory_beside(case: Case) -> str | None:
    """It takes no more and more memory beside its state: in its class, in a cache, for what it refused."""
    task, count = case.new(), case.records // _TRACED
    with _traced():
        sizes: list[int] = []
        for part in (count // 2, count - count // 2):
            for record in islice(_stream(case, len(sizes) * part), part):
                results(task, record)
            case.outside.reset()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    if sizes[1] > sizes[0] + _ROOM:
        return f"Python holds {sizes[0]} bytes more after {count // 2} records than before, {sizes[1]} after {count}"
    return None


def _stream(case: Case, start: int) -> Iterator[Record]:
    """Varied records without end, a broken one at times."""
    broken = cycle(case.hostile())
    for count, record in enumerate(cycle(case.inputs), start):
        yield next(broken) if count % _HOSTILE == 0 else varied(record, count)


@contextmanager
def _traced() -> Iterator[None]:
    """Python's memory is traced within, as it may have been before."""
    if tracemalloc.is_tracing():
        yield
        return
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()

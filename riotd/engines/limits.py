"""What tasks may take of time and memory: threads beside them that look, and end what goes too far.

Two bounds on memory, because neither does alone. What is asked for in one go, as a record's ten gigabytes are, the
kernel refuses (RLIMIT_DATA), and the task gets a MemoryError, which is one record's dead letter; memory that was never
there can't be swapped. What grows little by little is measured, and ends the worker; the next one begins with the
last snapshot. RLIMIT_AS would not do: a worker of Ray has mapped 1.3 GB before it does anything, of which it uses 0.08.
"""

import logging
import os
import resource
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread

from riotd.units import duration_text, size_text

_SHARE = 4
"""Looks within a deadline."""
_MEMORY = 0.25
"""Seconds between looks at the memory: 10 µs each."""
_MARGIN = 1.25
"""Of the memory, what may be asked for: allocators reserve more than they use."""
_PAGE = resource.getpagesize()
log = logging.getLogger(__name__)


class Watch:
    """Looks after a worker from a thread of its own, which a task that holds Python's lock holds too.

    Args:
        labour: see `Shard.labour`; the same at two looks means that no record was done between them.
        sign: told as long as records are done, or something outside is waited for.
        last_words: told why the process ends, before it does.
        deadline: seconds after which somebody else ends a worker that gives no sign; 0 for never.
        memory: bytes; 0 for any.
    """

    def __init__(
        self,
        labour: Callable[[], tuple[int, ...] | None],
        *,
        sign: Callable[[], None],
        last_words: Callable[[str], None],
        deadline: float,
        memory: int,
    ) -> None:
        self._labour, self._sign, self._last_words = labour, sign, last_words
        self._deadline, self._memory = deadline, memory
        self._over = Event()
        self._seen: tuple[int, ...] | None = None

    def begin(self) -> None:
        """Set the bounds, and start to look; nothing to do without any."""
        pauses = [self._deadline / _SHARE] if self._deadline else []
        if self._memory:
            bound(self._memory)
            pauses.append(_MEMORY)
        if pauses:
            Thread(target=self._run, args=(min(pauses),), name="watch", daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()

    def _run(self, pause: float) -> None:
        pauses = max(1, round(self._deadline / _SHARE / pause))
        looks = 0
        while not self._over.wait(pause):
            looks += 1
            if self._memory and used() > self._memory:
                self._last_words(f"took more than {size_text(self._memory)} of memory")
                os._exit(1)
            if self._deadline and looks % pauses == 0:
                labour = self._labour()
                if labour is None or labour != self._seen:
                    self._sign()
                self._seen = labour


def used() -> int:
    """Bytes of memory that are this process's alone."""
    pages = Path("/proc/self/statm").read_bytes().split()
    return (int(pages[1]) - int(pages[2])) * _PAGE


def bound(memory: int) -> None:
    """Have the kernel refuse what would be far more than so many bytes of this process's own."""
    pages = Path("/proc/self/statm").read_bytes().split()
    reserved = int(pages[5]) * _PAGE - used()
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = int(memory * _MARGIN) + max(reserved, 0)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class Deadline:
    """Ends this very process, as kill -9 would, when a shard in it has been at one record for too long.

    A thread can't be ended, so what it holds up can only be left to the next start. Whoever keeps a journal knows then
    what was being done. Looks are counted, not seconds, so that a stop of the whole machine is not taken for a task's.

    Args:
        labours: of each shard, see `Shard.labour`.
        seconds: the deadline; 0 for none.
    """

    def __init__(self, labours: Callable[[], Sequence[tuple[int, ...] | None]], *, seconds: float) -> None:
        self._labours, self._seconds = labours, seconds
        self._over = Event()

    def begin(self) -> None:
        """Start to look; nothing to do without a deadline."""
        if self._seconds:
            Thread(target=self._run, name="deadline", daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()

    def _run(self) -> None:
        before, looks = list(self._labours()), [0] * len(self._labours())
        while not self._over.wait(self._seconds / _SHARE):
            now = list(self._labours())
            if len(now) != len(before):  # shards have come, or gone
                before, looks = now, [0] * len(now)
                continue
            looks = [
                count + 1 if old is not None and old == new else 0
                for old, new, count in zip(before, now, looks, strict=True)
            ]
            before = now
            if max(looks) > _SHARE:
                shard, seconds = looks.index(max(looks)), duration_text(self._seconds)
                log.critical(
                    "shard %d: a record took longer than %s, in %s: leaving as if killed", shard, seconds, _where()
                )
                os._exit(1)


def _where() -> str:
    """What the threads that run a stage are doing."""
    found = []
    for frame in sys._current_frames().values():  # noqa: SLF001 - the documented way to see other threads
        stack = traceback.extract_stack(frame)
        if any(entry.filename.endswith("riotd/stage.py") for entry in stack):
            found.append(f"{stack[-1].name}, {stack[-1].filename}:{stack[-1].lineno}")
    return "; ".join(found) or "no stage"

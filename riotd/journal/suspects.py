"""Which message kills the daemon: lives that ended by a death without progress, and what was being done then.

A message that takes the whole process with it would come again from the journal at every start, for ever. After three
deaths at the same place the messages that were in flight are done again one at a time, each written down before it is
begun; the one that was being done at two deaths in a row is refused, and stays so.

What is being done is a number in a mapped page: setting it costs nothing and no time passes between it and the work,
so that a kill from outside hardly ever hits it. The page outlives the process. Whether it outlives the machine does not
matter: lives before the machine's last start are not counted.
"""

import logging
import mmap
import os
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from struct import Struct
from typing import Protocol

import msgspec

from riotd.errors import EngineError
from riotd.journal.disk import Disk
from riotd.messages import Message, Past

_SUSPICIOUS = 3
"""Deaths in a row without progress, after which messages are done one at a time."""
_GUILTY = 2
"""Deaths in a row while the same message was being done alone, after which it is refused."""
_HOPELESS = 10
"""Messages refused in a row, with none between them that was done, after which it is not the messages."""
_START = 0.3
"""Seconds within which no process follows another: Python and what it imports take longer. Lives that do are a test's,
which ends them within the very milliseconds that a message takes, and that says nothing about messages."""
_NAME, _PAGE = "suspects", "doing"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_DOING = Struct("<QQ")
log = logging.getLogger(__name__)


class Found(msgspec.Struct):
    """What is known at a start of the lives before.

    Attributes:
        alive: whether the last one began and never left.
        began: when it did, Unix seconds.
        boot: which start of the machine that was in.
        mark: all below was settled when a life last died.
        deaths: in a row, at that mark.
        until: messages below this one are done one at a time.
        tried: message that was being done alone at the last death, or 0.
        strikes: deaths in a row at that.
        row: messages refused since one was done.
        refused: why, by message.
    """

    alive: bool = False
    began: float = 0.0
    boot: str = ""
    mark: int = 0
    deaths: int = 0
    until: int = 0
    tried: int = 0
    strikes: int = 0
    row: int = 0
    refused: dict[int, str] = {}


class Remembered(Protocol):
    """What a journal remembers; see `riotd.sources.journaled.History`."""

    left: deque[tuple[int, Message]]

    def __iter__(self) -> Iterator[Past]: ...


class Suspects:
    """What a state folder remembers of deaths.

    Args:
        disk: the folder.
        path: the same, for the page.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk, self._path = disk, path
        self._found = Found()
        self._settled = self._passed = 0
        self._page: mmap.mmap | None = None

    @property
    def refused(self) -> dict[int, str]:
        """Messages that are not done again, and why."""
        return self._found.refused

    @property
    def until(self) -> int:
        """Messages from the settled ones to below this are done one at a time; 0 for none."""
        return self._found.until

    def begin(self, now: float, *, boot: str | None = None, first: int, settled: int, following: int) -> None:
        """A life begins; decides who is suspect. Blocks.

        Args:
            now: Unix seconds.
            boot: names the machine's start; default what the kernel says.
            first: the first message that is done again.
            settled: the first whose results are perhaps not with the sinks.
            following: the first that has not come yet.

        Raises:
            EngineError: so many messages in a row killed the daemon that it is not the messages.
            OSError: the folder can't be read.
        """
        found, here = self._read(), _BOOT.read_text().strip() if boot is None else boot
        doing, passed = self._open()
        if passed:
            found.row = 0
        if found.alive and found.boot == here and not 0 <= now - found.began < _START:
            found.deaths = found.deaths + 1 if found.mark == settled else 1
            self._blame(found, doing)
        elif found.mark != settled:
            found.deaths = 0
        found.alive, found.began, found.boot, found.mark = True, now, here, settled
        found.refused = {message: why for message, why in found.refused.items() if message >= first}
        if found.deaths >= _SUSPICIOUS:
            found.until = max(found.until, following)
        if settled >= found.until:
            found.until = 0
        self._found, self._settled = found, settled
        self._write()
        self._set(0)
        if found.until:
            log.warning(
                "the daemon died %d times at the same place: the %d messages that were in flight are done one by one",
                found.deaths,
                found.until - settled,
            )

    def doing(self, message: int) -> None:
        """This message is about to be done, alone; 0: it is done. Neither blocks nor asks the disk."""
        self._passed += message == 0
        self._set(message)

    def convict(self, reasons: Mapping[int, str]) -> None:
        """In this life: have these messages refused in later ones. Blocks; a disk that refuses costs workers more."""
        self._found = msgspec.structs.replace(self._found, refused={**self.refused, **reasons})
        self._write()

    def refuse(self, reasons: Mapping[int, str]) -> None:
        """Between two lives: the same; blocks. Raises OSError if it can't be written."""
        found = self._read()
        self._keep(msgspec.structs.replace(found, refused={**found.refused, **reasons}))

    def leave(self) -> None:
        """The life ends in good order: nobody is to blame. Blocks."""
        if not self._found.alive:
            return
        self._found.alive, self._found.tried, self._found.strikes = False, 0, 0
        self._write()
        self._set(0)
        if self._page is not None:
            self._page.close()
            self._page = None

    def steps(self, history: Remembered) -> Iterator[Past]:
        """What is to be done again, suspects each on their own, and who is refused.

        Messages that had come and went nowhere are among them as far as there are suspects.
        """
        for past in history:
            yield from self._parts(past)
        last = max([self.until - 1, *self.refused])
        while history.left and history.left[0][0] <= last:
            number, message = history.left.popleft()
            yield self._step(Past(0.0, number, (message,), fresh=True))

    def _parts(self, past: Past) -> Iterator[Past]:
        """A batch, cut where one of its messages must be on its own."""
        kept: list[Message] = []
        for number, message in enumerate(past.messages, past.first):
            if not self._special(number):
                kept.append(message)
                continue
            if kept:
                yield Past(past.now, number - len(kept), tuple(kept))
                kept = []
            yield self._step(Past(past.now, number, (message,)))
        if kept or not past.messages:
            yield Past(past.now, past.first + len(past.messages) - len(kept), tuple(kept))

    def _step(self, past: Past) -> Past:
        if reason := self.refused.get(past.first, ""):
            return msgspec.structs.replace(past, refusal=reason)
        return msgspec.structs.replace(past, alone=self._special(past.first))

    def _special(self, message: int) -> bool:
        return self._settled <= message < self.until or message in self.refused

    def _blame(self, found: Found, doing: int) -> None:
        """Take note of what was being done at the death."""
        found.strikes = found.strikes + 1 if doing and doing == found.tried else int(doing > 0)
        found.tried = doing
        if found.strikes < _GUILTY:
            return
        if found.row >= _HOPELESS:
            raise EngineError(
                f"{_HOPELESS} messages in a row killed the daemon, each on its own: it is not the messages; "
                f"when that is mended, remove {self._path / _NAME}"
            )
        found.refused[doing] = f"killed the daemon again and again, the last {_GUILTY} times alone"
        found.row += 1
        found.strikes = 0
        log.error("message %d killed the daemon again and again: it is a dead letter", doing)

    def _read(self) -> Found:
        """What the last life wrote; nothing if it can't be read, which costs some deaths more."""
        if _NAME not in self._disk.names():
            return Found()
        try:
            return msgspec.json.decode(self._disk.read(_NAME), type=Found)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            log.warning("%s can't be read: %s", self._path / _NAME, error)
            return Found()

    def _write(self) -> None:
        """Keep what is known; a disk that refuses costs some deaths more, not the start."""
        try:
            self._keep(self._found)
        except OSError as error:
            log.warning("%s can't be written: %s", self._path / _NAME, error.strerror or error)

    def _keep(self, found: Found) -> None:
        part = f"{_NAME}.part"
        self._disk.remove(part)
        self._disk.append(part, msgspec.json.encode(found))
        self._disk.sync(part)
        self._disk.rename(part, _NAME)
        self._disk.sync_names()

    def _open(self) -> tuple[int, int]:
        """Map the page, if the disk has room for it; what is on it."""
        descriptor = os.open(self._path / _PAGE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size != _DOING.size:
                # not truncated: writing to a mapped hole may end in SIGBUS
                os.pwrite(descriptor, bytes(_DOING.size), 0)
            self._page = mmap.mmap(descriptor, _DOING.size)
        except OSError as error:
            log.warning("%s can't be written: %s", self._path / _PAGE, error.strerror or error)
            return 0, 0
        finally:
            os.close(descriptor)
        return _DOING.unpack_from(self._page)

    def _set(self, message: int) -> None:
        if self._page is not None:
            _DOING.pack_into(self._page, 0, message, self._passed)

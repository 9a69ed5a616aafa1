"""What the tests of followed files share."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from riotd import config as cfg
from riotd.messages import Message
from riotd.sources.files import FileSource
from riotd.testing import ManualClock

PATIENCE = 30.0
"""Seconds after which a test that waits has failed."""


def following(path: Path | str, clock: ManualClock | None = None, **more: object) -> FileSource:
    """A source that follows `path`."""
    block = cfg.FileSource.model_validate({"type": "file", "path": str(path), "follow": True, **more})
    return FileSource(block, clock=clock or ManualClock())


async def take(source: FileSource, count: int) -> list[Message]:
    """The next messages, at least `count`."""
    found: list[Message] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            found += await source.receive()
    return found


async def payloads(source: FileSource, count: int) -> list[bytes]:
    """The payloads of the next messages."""
    return [message.payload for message in await take(source, count)]


async def says_nothing(source: FileSource, seconds: float = 0.15) -> bool:
    """Whether nothing comes within several looks at the files."""
    try:
        async with asyncio.timeout(seconds):
            await source.receive()
    except TimeoutError:
        return True
    return False


async def eventually(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for happens outside: files, descriptors
            await asyncio.sleep(0.005)


def append(path: Path, data: bytes) -> None:
    """Open, append, close, as most writers of logs do."""
    with path.open("ab") as file:
        file.write(data)


def held(path: Path) -> int:
    """How often this process has files open whose name begins with `path`, deleted ones too."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(str(link.readlink()).startswith(str(path)) for link in links)

"""A recorded feed back onto a broker, in its own time or faster."""

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from functools import partial

from riotd.replay.numbering import Numbered
from riotd.replay.player import Outbox, Pair, Player, Progress
from riotd.replay.recording import Recording, Timed
from riotd.replay.source_log import SourceLog, first_id
from riotd.replay.topics import Topics

__all__ = [
    "Numbered",
    "Outbox",
    "Pair",
    "Player",
    "Progress",
    "Recording",
    "SourceLog",
    "Timed",
    "Topics",
    "first_id",
    "replay",
]


async def replay(  # noqa: PLR0913 - one keyword for each way to do it
    feed: Recording | Iterable[Timed],
    outbox: Outbox,
    *,
    topics: Topics,
    speed: float = 1.0,
    qos: int = 0,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Progress:
    """Send a feed's messages when they are due.

    Args:
        feed: a recording, or messages in the order of their times, such as `riotd.feeds.city(...)`.
        outbox: where they go: a `riotd.mqtt.Publisher`.
        topics: which topic a message goes to.
        speed: how many times faster than recorded; infinity is as fast as the outbox takes them.
        qos: of the messages.
        limit: messages to send, at most.
        progress: counted there while it goes on, so that it outlives a cancellation; default a new one.

    Returns:
        The progress, once the outbox has the last message.

    Raises:
        OSError: the recording can't be opened or read. EOFError, zlib.error: it is a broken .gz.
    """
    progress = progress or Progress()
    player = Player(partial(outbox.send_all, qos=qos), speed=speed, progress=progress)
    addressing = _Addressing(topics, limit)
    async with aclosing(feed.groups() if isinstance(feed, Recording) else _one(feed)) as groups:
        async for group in groups:
            await player.play(addressing.pairs(group))
            if addressing.over:
                break
    return progress


class _Addressing:
    """Puts topics to messages, until there are enough."""

    def __init__(self, topics: Topics, limit: int | None) -> None:
        self._topics, self._limit, self._count = topics, limit, 0

    @property
    def over(self) -> bool:
        return self._count == self._limit

    def pairs(self, group: Iterable[Timed]) -> Iterator[tuple[float | None, Pair]]:
        of = self._topics.of
        for time, payload in group:
            if self.over:
                return
            self._count += 1
            yield time, (of(payload, self._count), payload)


async def _one(feed: Iterable[Timed]) -> AsyncGenerator[Iterable[Timed], None]:
    yield feed

"""Several sources behind the port of one."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import msgspec

from riotd.messages import Message
from riotd.ports import Holder, Resumable, Settling, Source

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, bytes]).decode
log = logging.getLogger(__name__)


class Merged:
    """A source that gives what several give; keeps to `riotd.ports.Source`.

    All are waited for at once. Each gives at most one helping a call, so that none is kept from speaking by a busy
    one, and none is asked again before `receive` is: whoever stops taking holds all of them back, and what a slow one
    had for a call that another one answered waits for the next. A message's `origin` is its source's place, and an
    acknowledgement goes to where the message came from, in the order of its source.

    It ends when all have ended. A source that fails ends it with that error, once what the others gave is taken.

    Measured beside a single source: 9 µs of CPU more a call, 0.12 µs a message, 0.06 µs one of the first source.

    Args:
        sources: by name, in the order of `Plan.sources`; at least one.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._names = list(sources)
        self._sources = list(sources.values())
        self._asked: dict[int, asyncio.Task[Sequence[Message]]] = {}
        self._ended: set[int] = set()
        self._news = asyncio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Enter all, and wait for their outsides at once; if one fails those before it are left again."""
        self._ended.clear()
        async with AsyncExitStack() as entering:
            for source in self._sources:
                if isinstance(source, Settling):
                    entering.push_async_exit(await source.begin())
                else:
                    await entering.enter_async_context(source)
            await asyncio.gather(*(source.settled() for source in self._sources if isinstance(source, Settling)))
            self._stack = entering.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave all, the last one first; what was not received stays unacknowledged."""
        waiting = list(self._asked.values())
        self._asked.clear()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._stack.__aexit__(kind, error, trace)

    async def receive(self) -> Sequence[Message]:
        """As `Source.receive`: what those have that have something."""
        while True:
            if messages := self._helpings():
                return messages
            if len(self._ended) == len(self._sources):
                return []
            self._ask()
            self._news.clear()
            await self._news.wait()

    async def ack(self, messages: Sequence[Message]) -> None:
        """As `Source.ack`, of each its own."""
        shares: dict[int, list[Message]] = {}
        for message in messages:
            shares.setdefault(message.origin, []).append(message)
        for origin, share in shares.items():
            await self._sources[origin].ack(share)

    async def stop(self) -> None:
        """As `Source.stop`, of all."""
        for source in self._sources:
            await source.stop()

    def position(self) -> bytes:
        """As `Resumable.position`, of those that have one."""
        return _encode({name: source.position() for name, source in self._resumable().items()})

    def resume(self, position: bytes) -> None:
        """As `Resumable.resume`, of those that were there then."""
        try:
            positions = _decode(position)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            log.warning("where the sources were can't be read: %s; they begin anew", error)
            return
        for name, source in self._resumable().items():
            if name in positions:
                source.resume(positions[name])

    @property
    def same_order(self) -> bool:
        """As `Resumable.same_order`: who is first is chance."""
        return False

    def held(self) -> int:
        """As `Holder.held`, of those that say it; with what has been given and not been taken."""
        answers = [task.result() for task in self._asked.values() if _given(task)]
        ready = sum([len(message.payload) for messages in answers for message in messages])
        return ready + sum([source.held() for source in self._sources if isinstance(source, Holder)])

    def counters(self) -> Mapping[str, int]:
        """The counts of all, as `<name>.<count>`."""
        pairs = zip(self._names, self._sources, strict=True)
        return {f"{name}.{what}": count for name, source in pairs for what, count in source.counters().items()}

    def _resumable(self) -> dict[str, Resumable]:
        pairs = zip(self._names, self._sources, strict=True)
        return {name: source for name, source in pairs if isinstance(source, Resumable)}

    def _ask(self) -> None:
        """Ask all who are not being asked; those tasks outlive a `receive` that is cancelled."""
        for origin, source in enumerate(self._sources):
            if origin not in self._asked and origin not in self._ended:
                task = asyncio.create_task(_received(source), name=f"receive {self._names[origin]}")
                task.add_done_callback(lambda _: self._news.set())
                self._asked[origin] = task

    def _helpings(self) -> Sequence[Message]:
        """What has been answered; raises what failed, if nobody else has answered."""
        answers = [(origin, task) for origin, task in self._asked.items() if task.done()]
        failed = [task for _, task in answers if task.cancelled() or task.exception()]
        given: list[Message] = []
        for origin, task in answers:
            if task in failed:
                continue
            del self._asked[origin]
            if messages := task.result():
                given += _stamped(messages, origin)
            else:
                self._ended.add(origin)
        if failed and not given:
            failed[0].result()
        return given


async def _received(source: Source) -> Sequence[Message]:
    return await source.receive()


def _given(task: asyncio.Task[Sequence[Message]]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _stamped(messages: Sequence[Message], origin: int) -> Sequence[Message]:
    """The messages with their origin; 0 is what sources leave in them."""
    if not origin:
        return messages
    return [
        Message(each.topic, each.payload, each.received, each.token, origin, each.mark, each.again) for each in messages
    ]

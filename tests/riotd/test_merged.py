"""Several sources behind the port of one."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

import pytest

from riotd.errors import ConfigError
from riotd.messages import Message
from riotd.sources.merged import Merged
from riotd.testing import ABORT, EOF, PAUSE, Abort, ListSource


def _pair(one: Sequence[Any], other: Sequence[Any], **of_one: Any) -> tuple[ListSource, ListSource, Merged]:
    first, second = ListSource(one, topic="one", **of_one), ListSource(other, topic="other")
    return first, second, Merged({"one": first, "other": second})


async def _all(merged: Merged) -> list[Message]:
    found: list[Message] = []
    while messages := await merged.receive():
        found += messages
    return found


def _numbers(count: int, prefix: str = "") -> list[bytes]:
    return [f"{prefix}{number}".encode() for number in range(count)]


async def test_all_messages_come_in_the_order_of_their_source() -> None:
    """Nothing is lost or made up, each source's order is kept, and each message says whose it is."""
    _, _, merged = _pair(_numbers(50, "a"), _numbers(30, "b"), at_once=7)
    async with merged:
        found = await _all(merged)
    assert [message.payload for message in found if message.origin == 0] == _numbers(50, "a")
    assert [message.payload for message in found if message.origin == 1] == _numbers(30, "b")
    assert {(message.origin, message.topic) for message in found} == {(0, "one"), (1, "other")}


async def test_a_busy_source_does_not_keep_another_from_speaking() -> None:
    """Whatever one has ready, a message of the other comes with the next call."""
    _, quiet, merged = _pair(_numbers(1000), [b"x", PAUSE, b"y"], at_once=1)
    async with merged:
        assert {message.origin for message in await merged.receive()} == {0, 1}
        await merged.receive()
        await quiet.paused()
        quiet.resume()
        within = [await merged.receive() for _ in range(3)]
    assert b"y" in [message.payload for messages in within for message in messages]


async def test_a_source_that_waits_holds_nobody_up() -> None:
    """The others are given meanwhile, and what it has later comes too."""
    _, waiting, merged = _pair([b"a", b"b"], [PAUSE, b"late"], at_once=1)
    async with merged:
        assert [message.payload for _ in range(2) for message in await merged.receive()] == [b"a", b"b"]
        waiting.resume()
        assert [message.payload for message in await _all(merged)] == [b"late"]


async def test_it_ends_when_all_have_ended_and_stays_so() -> None:
    """The end of one is not the end; after the last one's every call says so."""
    _, waiting, merged = _pair([], [PAUSE, b"late"])
    async with merged:
        taking = asyncio.create_task(merged.receive())
        await waiting.paused()
        assert not taking.done()
        waiting.resume()
        assert [message.payload for message in await taking] == [b"late"]
        assert [await merged.receive(), await merged.receive()] == [[], []]


async def test_nothing_is_lost_when_receive_is_cancelled() -> None:
    """What a source had for a cancelled call comes with the next."""
    one, other, merged = _pair([PAUSE, *_numbers(3)], [PAUSE, b"x"])
    async with merged:
        for _ in range(3):
            taking = asyncio.create_task(merged.receive())
            await asyncio.gather(one.paused(), other.paused())
            taking.cancel()
            await asyncio.wait([taking])
        one.resume()
        other.resume()
        assert sorted(message.payload for message in await _all(merged)) == [b"0", b"1", b"2", b"x"]


async def test_who_does_not_receive_is_given_at_most_one_helping_ahead() -> None:
    """Between two calls no source is asked again, so that credits hold all of them back."""
    _, other, merged = _pair(_numbers(10), [PAUSE, *_numbers(10)], at_once=1)
    other._at_once = 1
    async with merged:
        await merged.receive()
        other.resume()
        for _ in range(100):
            await asyncio.sleep(0)
        counts = merged.counters()
    assert counts == {"one.received": 1, "other.received": 1}


async def test_acknowledgements_go_to_each_message_s_own_source_in_order() -> None:
    """Of a mixture each source hears its own, with its own tokens; `ListSource` refuses any other order."""
    one, other, merged = _pair(_numbers(5, "a"), _numbers(4, "b"), at_once=2)
    async with merged:
        found = await _all(merged)
        for index in range(0, len(found), 2):
            await merged.ack(found[index : index + 2])
    assert [message.payload for message in one.acked] == _numbers(5, "a")
    assert [message.payload for message in other.acked] == _numbers(4, "b")
    assert (one.unacked, other.unacked) == (0, 0)


async def test_what_is_not_acknowledged_comes_again_from_its_source() -> None:
    """Entered again, each source goes on with its own."""
    _, _, merged = _pair([*_numbers(3, "a"), EOF], [*_numbers(2, "b"), EOF])
    async with merged:
        found = await _all(merged)
        await merged.ack([message for message in found if message.origin])
    async with merged:
        assert [message.payload for message in await merged.receive()] == _numbers(3, "a")


async def test_stop_stops_all() -> None:
    """Sources that would wait for ever end, and with them the whole."""
    one, other, merged = _pair([PAUSE, b"a"], [PAUSE, b"b"])
    async with merged:
        taking = asyncio.create_task(merged.receive())
        await asyncio.gather(one.paused(), other.paused())
        await merged.stop()
        assert await taking == []


async def test_a_failure_comes_after_what_the_others_have() -> None:
    """Messages first, then the source's own error, each time."""
    _, _, merged = _pair([b"a", b"b"], [ABORT])
    async with merged:
        assert [message.payload for message in await merged.receive()] == [b"a", b"b"]
        with pytest.raises(Abort):
            await _all(merged)
        with pytest.raises(Abort):
            await merged.receive()


class _Locked:
    """A source that can't be entered."""

    async def __aenter__(self) -> Any:
        raise ConfigError([])

    async def __aexit__(self, *_: object) -> None:
        raise AssertionError("left, and never entered")


class _Open(ListSource):
    """A source that knows whether it is entered."""

    opened = 0

    async def __aenter__(self) -> Any:
        self.opened += 1
        return await super().__aenter__()

    async def __aexit__(self, *_: object) -> None:
        self.opened -= 1


async def test_if_one_can_not_be_entered_the_others_are_left_again() -> None:
    """The error is the source's own."""
    source = _Open([])
    with pytest.raises(ConfigError):
        async with Merged({"a": source, "b": _Locked()}):  # type: ignore[dict-item]  # only ever entered
            pytest.fail("it was entered")
    assert source.opened == 0


async def test_leaving_leaves_all_and_lets_go_of_who_is_waited_for() -> None:
    """Whoever was being asked is not any more; leaving twice is harmless."""
    sources = [_Open([PAUSE]), _Open([b"a"])]
    merged = Merged({"a": sources[0], "b": sources[1]})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(merged)
        await merged.receive()
        assert [source.opened for source in sources] == [1, 1]
    await merged.__aexit__(None, None, None)
    assert [source.opened for source in sources] == [0, 0]
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("receive")] == []


class Meeting(ListSource):
    """A source whose outside is there once the other source's is waited for, too."""

    meeting = asyncio.Barrier(2)

    async def begin(self) -> Self:
        """As `Settling.begin`."""
        return await self.__aenter__()

    async def settled(self) -> None:
        """As `Settling.settled`."""
        await self.meeting.wait()


async def test_outsides_are_waited_for_at_once() -> None:
    """Two brokers out of reach cost the start one moment, not two."""
    merged = Merged({"one": Meeting([b"1"]), "other": Meeting([b"2"])})
    async with asyncio.timeout(5), merged:
        assert sorted(message.payload for message in await _all(merged)) == [b"1", b"2"]

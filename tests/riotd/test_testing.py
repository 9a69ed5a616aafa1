"""The public test doubles keep the ports' contracts themselves."""

import asyncio

import pytest

from riotd.clock import Clock
from riotd.messages import DeadLetter, Message, Result
from riotd.ports import RejectSink, Sink, Source
from riotd.testing import ABORT, EOF, PAUSE, Abort, ListRejects, ListSink, ListSource, ManualClock


def payloads(messages: list[Message]) -> list[bytes]:
    return [message.payload for message in messages]


def result(number: int) -> Result:
    return Result(0, number, "mean", "device", "", b"%d" % number)


async def receive(source: Source) -> list[Message]:
    return list(await source.receive())


async def test_source_gives_its_list_and_ends() -> None:
    """All items come in order, at most `at_once` together, then the end, which stays."""
    clock = ManualClock(3.0)
    async with ListSource([b"a", b"b", Message("t", b"c", 0.0, "mine")], at_once=2, topic="s", clock=clock) as source:
        assert await receive(source) == [Message("s", b"a", 3.0, 0, mark=1), Message("s", b"b", 3.0, 1, mark=2)]
        clock.advance(1.0)
        assert await receive(source) == [Message("t", b"c", 4.0, 2, mark=3)]
        assert await receive(source) == []
        assert await receive(source) == []
        assert source.counters() == {"received": 3}


async def test_eof_ends_once_entered() -> None:
    """`EOF` is the end until the source is entered again, which goes on behind it."""
    source = ListSource([b"a", EOF, b"b"])
    async with source:
        messages = await receive(source)
        assert await receive(source) == []
        assert await receive(source) == []
        await source.ack(messages)
    async with source:
        assert payloads(await receive(source)) == [b"b"]
        assert await receive(source) == []


async def test_abort_fails_once_and_what_was_not_acknowledged_comes_again() -> None:
    """`ABORT` raises the first time; entered again, the source gives the oldest unacknowledged message next."""
    source = ListSource([b"a", b"b", b"c", ABORT, b"d"])
    async with source:
        messages = await receive(source)
        await source.ack(messages[:1])
        with pytest.raises(Abort):
            await source.receive()
    assert source.unacked == 2
    async with source:
        assert payloads(await receive(source)) == [b"b", b"c", b"d"]


async def test_pause_waits_for_resume() -> None:
    """`PAUSE` holds `receive` until `resume`, and `paused` tells when it has come to it; each pause needs its own."""
    async with ListSource([b"a", PAUSE, b"b", PAUSE, b"c"]) as source:
        assert payloads(await receive(source)) == [b"a"]
        for expected in (b"b", b"c"):
            receiving = asyncio.create_task(receive(source))
            await source.paused()
            assert not receiving.done()
            source.resume()
            assert payloads(await receiving) == [expected]


async def test_cancelled_receive_loses_nothing() -> None:
    """A `receive` that is cancelled in a pause leaves the pause and everything behind it."""
    async with ListSource([PAUSE, b"a"]) as source:
        receiving = asyncio.create_task(receive(source))
        await source.paused()
        receiving.cancel()
        await asyncio.wait({receiving})
        source.resume()
        assert payloads(await receive(source)) == [b"a"]


async def test_stop_ends_a_pause_and_the_source() -> None:
    """After `stop` nothing more comes, but what came can still be acknowledged."""
    async with ListSource([b"a", PAUSE, b"b"]) as source:
        messages = await receive(source)
        receiving = asyncio.create_task(receive(source))
        await source.paused()
        await source.stop()
        assert await receiving == []
        assert await receive(source) == []
        await source.ack(messages)
        assert payloads(source.acked) == [b"a"]


async def test_stopped_source_pauses_again_when_entered_again() -> None:
    """A pause that `stop` ended is still to be waited at by the next one who enters."""
    source = ListSource([PAUSE, b"a"])
    async with source:
        await source.stop()
        assert await receive(source) == []
    async with source:
        receiving = asyncio.create_task(receive(source))
        await source.paused()
        assert not receiving.done()
        source.resume()
        assert payloads(await receiving) == [b"a"]


@pytest.mark.parametrize("wrong", [[1], [0, 2], [0, 0], [2, 1, 0]])
async def test_wrong_acknowledgements_are_errors(wrong: list[int]) -> None:
    """What is acknowledged out of order, twice, or with a gap is refused: the program under test is wrong."""
    async with ListSource([b"a", b"b", b"c"]) as source:
        messages = await receive(source)
        with pytest.raises(AssertionError, match="out of order"):
            await source.ack([messages[index] for index in wrong])


async def test_acknowledging_what_was_never_given_is_an_error() -> None:
    """There is nothing to acknowledge before the first `receive`."""
    async with ListSource([b"a"]) as source:
        with pytest.raises(AssertionError, match="None is the oldest"):
            await source.ack([Message("test", b"a", 0.0, 0)])


async def test_sink_keeps_what_it_is_sent() -> None:
    """Results are there when `send` returns, and are counted."""
    async with ListSink() as double:
        sink: Sink = double
        await sink.send([result(1), result(22)])
        assert double.results == [result(1), result(22)]
        assert sink.counters() == {"sent": 2, "failed": 0, "bytes": 3}


async def test_stalled_sink_keeps_order() -> None:
    """Sends wait while it is stalled, and land in the order of the calls, later ones behind."""
    async with ListSink() as sink:
        sink.stall()
        sends = [asyncio.create_task(sink.send([result(number)])) for number in range(5)]
        await asyncio.sleep(0)
        assert sink.results == []
        sink.resume()
        await sink.send([result(5)])
        await asyncio.gather(*sends)
        assert sink.results == [result(number) for number in range(6)]


async def test_until_waits_for_results() -> None:
    """`until` returns when as many results are there, at once if they already are."""
    async with ListSink() as sink:
        waiting = asyncio.create_task(sink.until(2))
        await sink.send([result(0)])
        assert not waiting.done()
        await sink.send([result(1)])
        await waiting
        await sink.until(1)


async def test_rejects_are_kept() -> None:
    """Dead letters are kept as they are sent."""
    letter = DeadLetter(0.0, "parse", "not JSON", 1, "t", b"{")
    async with ListRejects() as double:
        rejects: RejectSink = double
        await rejects.send([letter])
        await double.until(1)
        assert double.letters == [letter]


def test_clock_moves_by_hand() -> None:
    """Both readings move with `advance`; only the wall clock may be set, and time never runs backwards."""
    double = ManualClock(5.0, wall=1000.0)
    clock: Clock = double
    assert (clock.monotonic(), clock.wall()) == (5.0, 1000.0)
    double.advance(2.5)
    assert (clock.monotonic(), clock.wall()) == (7.5, 1002.5)
    double.set_wall(0.0)
    assert (clock.monotonic(), clock.wall()) == (7.5, 0.0)
    with pytest.raises(ValueError, match="does not step back"):
        double.advance(-1.0)

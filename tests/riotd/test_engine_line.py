"""Lines to workers: who rings up too late, or says nothing."""

import asyncio

import pytest

from riotd.engines.line import Exchange
from riotd.engines.worker import frame
from riotd.errors import ShardLost


async def _hung_up_on(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(10):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


async def test_a_worker_that_was_killed_while_it_rang_up_is_hung_up_on() -> None:
    """Its line is dead by the time it shows its ticket: the connection does not stay."""
    exchange = Exchange()
    await exchange.open("127.0.0.1")
    line, (host, port, ticket) = exchange.line()
    reader, writer = await asyncio.open_connection(host, port)
    line.lost(ShardLost("it was killed"))
    writer.write(frame(ticket))
    assert await _hung_up_on(reader)
    with pytest.raises(ShardLost):
        await line.ask("pid")
    writer.close()
    exchange.close()


async def test_who_has_shown_no_ticket_at_the_end_is_hung_up_on() -> None:
    """No connection outlives the exchange but those of lines."""
    exchange = Exchange()
    await exchange.open("127.0.0.1")
    line, (host, port, ticket) = exchange.line()
    reader, writer = await asyncio.open_connection(host, port)
    silent, other = await asyncio.open_connection(host, port)
    answer = line.ask("pid")
    writer.write(frame(ticket))
    await reader.readexactly(1)  # the call: the line is up
    exchange.close()
    assert await _hung_up_on(silent)
    assert not answer.done()
    line.lost(ShardLost("the end"))
    with pytest.raises(ShardLost):
        await answer
    writer.close()
    other.close()

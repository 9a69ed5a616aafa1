"""One connection's bytes on their way out, its pings, and its end."""

import asyncio

import pytest

from riotd import config
from riotd.mqtt import Publisher
from tests.riotd.mqtt_line import CONNACK, PING, PONG, SUBACK, URL, Line, opened, publish, subscriber, taken

DISCONNECT, PUBACK = b"\xe0\x00", b"\x40\x02\x00\x01"


async def test_pings_are_answered_while_reading_rests() -> None:
    """Those on the way and those sent meanwhile; the broker's own answers are left out when they come at last."""
    party = subscriber(buffer="2kB")
    wire, line = opened(party)
    await wire.read()
    await wire.write(PING)
    wire.data_received(publish(bytes(3000)))
    assert await wire.read() == PONG
    await wire.write(PING)
    assert await wire.read() == PONG
    assert line.written == PING * 2
    await party.receive(1)
    wire.data_received(PONG * 2 + SUBACK)
    await wire.write_many([PING])
    wire.data_received(PONG)
    assert await wire.read() == SUBACK + PONG


async def test_acknowledgements_leave_together() -> None:
    """In one write, in order; behind the client's DISCONNECT none."""
    party = subscriber(qos=1)
    wire, line = opened(party)
    wire.data_received(publish(b"", 1) + publish(b"", 2) + publish(b"", 3))
    first, second, third = await taken(party)
    party.acknowledge([first.token, second.token])
    assert line.written == PUBACK + b"\x40\x02\x00\x02"
    await wire.write(DISCONNECT)
    party.acknowledge([third.token])
    assert line.written == PUBACK + b"\x40\x02\x00\x02" + DISCONNECT


@pytest.mark.parametrize("error", [None, ConnectionResetError("reset")])
async def test_an_end_is_told_to_both(error: Exception | None) -> None:
    """The client gets what came before it, then the error, or the end; nobody can write any more."""
    party = Publisher(config.Connection(url=URL, protocol="3.1.1"), client_id="test")
    wire, line = opened(party)
    wire.data_received(SUBACK)
    waiting = asyncio.create_task(party.send("t", b"", qos=1))
    await asyncio.sleep(0)
    written = line.written
    assert written
    wire.connection_lost(error)
    line.closing = True
    assert not party.try_send_nowait("t", b"")
    assert await wire.read() == CONNACK + SUBACK
    if error is None:
        assert await wire.read() == b""
    else:
        with pytest.raises(ConnectionResetError, match="reset"):
            await wire.read()
    with pytest.raises(ConnectionResetError):
        await wire.write(PING)
    assert line.written == written
    waiting.cancel()


async def test_a_reader_that_waits_is_woken_by_the_end() -> None:
    """`read` does not outlive its connection."""
    wire, _ = opened(subscriber())
    await wire.read()
    waiting = asyncio.create_task(wire.read())
    await asyncio.sleep(0)
    wire.connection_lost(None)
    assert await waiting == b""


async def test_a_socket_that_takes_no_more_stops_the_writing() -> None:
    """Between chunks it is looked whether the socket takes more; what waits leaves when it does, and nothing else."""
    party = Publisher(config.Connection(url=URL, protocol="3.1.1"), client_id="test")
    wire, line = opened(party)
    wire.pause_writing()
    assert not party.try_send_nowait("t", b"")
    sending = asyncio.create_task(party.send_all([("t", bytes(1000))] * 500))
    await asyncio.sleep(0)
    assert line.written == b""
    line.write = lambda data: (wire.pause_writing(), Line.write(line, data))[1]  # type: ignore[method-assign]
    wire.resume_writing()
    assert 64_000 < len(line.written) < 70_000
    for _ in range(9):
        assert not sending.done()
        wire.resume_writing()
    assert await sending == 0
    assert len(line.written) == 500 * len(publish(bytes(1000)))


async def test_closing_does_not_wait_for_ever() -> None:
    """What the broker does not read is given up after a moment; a second `close` finds nothing to do."""
    wire, line = opened(subscriber())
    wire._grace = 0.01
    await wire.close()
    assert line.aborted
    await wire.close()


async def test_closing_that_is_cancelled_closes_at_once() -> None:
    """The socket does not stay open behind a cancelled task."""
    wire, line = opened(subscriber())
    closing = asyncio.create_task(wire.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert line.aborted

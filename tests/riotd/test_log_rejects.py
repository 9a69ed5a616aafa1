"""Dead letters into the log."""

import asyncio
import logging

import pytest

from riotd import config as cfg
from riotd.messages import DeadLetter
from riotd.ports import RejectSink
from riotd.sinks.log import LogRejects


def letter(number: int, payload: bytes = b"{", stage: str = "parse") -> DeadLetter:
    return DeadLetter(1_700_000_000.5, stage, "not JSON", number, "sensors/a", payload)


async def test_log_tells_the_first_and_counts_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    """Of many dead letters five are told one by one, and the others in one line, by stage, when the sink is left."""
    async with LogRejects(cfg.LogRejects()) as rejects:
        checked: RejectSink = rejects  # mypy: it keeps the port's contract
        await checked.send([letter(number) for number in range(100)])
        await checked.send([letter(number, stage="range") for number in range(20)])
    assert caplog.messages == [
        *(f"dead letter at parse: not JSON; message {number} of sensors/a: b'{{'" for number in range(5)),
        "115 more dead letters within 1 s: 95 at parse, 20 at range",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


class Heard(logging.Handler):
    """Says when a line that contains `text` is logged."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.event = asyncio.Event()
        self._text = text

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a line."""
        if self._text in record.getMessage():
            self.event.set()


async def test_log_sums_up_when_the_period_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """The count comes though no further dead letter does, and the next period tells the first few again."""
    heard = Heard("more dead letters")
    logging.getLogger("riotd.sinks.log").addHandler(heard)
    try:
        async with LogRejects(shown=1, period=0.05) as rejects:
            await rejects.send([letter(1), letter(2), letter(3)])
            async with asyncio.timeout(5):
                await heard.event.wait()
            await rejects.send([letter(4)])
    finally:
        logging.getLogger("riotd.sinks.log").removeHandler(heard)
    assert [message.split(";")[0] for message in caplog.messages] == [
        "dead letter at parse: not JSON",
        "2 more dead letters within 0.05 s: 2 at parse",
        "dead letter at parse: not JSON",
    ]


async def test_log_shows_the_beginning_of_a_payload(caplog: pytest.LogCaptureFixture) -> None:
    """A long payload is cut, which is said, and line ends in it break no log line."""
    async with LogRejects() as rejects:
        await rejects.send([letter(1, b"\n" + b"x" * 10_000_000)])
    assert caplog.messages[0].endswith(f"b'\\n{'x' * 199}' and 9999801 bytes more")
    assert "\n" not in caplog.messages[0]

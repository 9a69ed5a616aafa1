"""Sending what is due: in the recording's own time, faster, or as fast as it goes."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from riotd.quantiles import Sketch

_PATIENCE = 0.002
"""Seconds; a shorter wait is none (RIoTBench's sender: 10 ms): what is due so soon goes along."""
_BURST = 256
"""Messages handed over at once, at most; 64 cost 10 % more each, 1,024 nothing less."""

Pair = tuple[str, bytes]
"""Topic and payload."""


class Outbox(Protocol):
    """Where messages go: a `riotd.mqtt.Publisher`, or several."""

    async def send_all(self, pairs: Sequence[Pair], *, qos: int = 0) -> int:
        """Return when all are sent, in this order; how many could never be."""


class Progress:
    """How a replay goes.

    Attributes:
        sent: messages handed over.
        refused: messages of which the outbox says that they can never be sent.
        bytes: of the payloads.
        lag: seconds by which messages were late, where they had a time to keep.
        latest: the last of these.
    """

    def __init__(self) -> None:
        self.sent = self.refused = self.bytes = 0
        self.lag = Sketch()
        self.latest = 0.0
        self._began: float | None = None
        self._ended = 0.0

    @property
    def seconds(self) -> float:
        """From the first message to the last."""
        return 0.0 if self._began is None else self._ended - self._began

    @property
    def rate(self) -> float:
        """Messages a second so far."""
        return self.sent / max(self.seconds, 1e-6)

    def began(self, now: float) -> None:
        """A message is about to be sent; counts the first time only."""
        if self._began is None:
            self._began = now

    def handed_over(self, pairs: Sequence[Pair], refused: int, now: float) -> None:
        """These are sent, but for as many as were refused."""
        self.sent += len(pairs) - refused
        self.refused += refused
        self.bytes += sum(len(payload) for _, payload in pairs)
        self._ended = now


class Player:
    """Sends each message when it is due, and at once what is late already, so it never drifts.

    The first message that has a time sets the clock: it is due at once, any other as much later as it was recorded
    later, divided by `speed`. One recorded earlier than its predecessor, or nobody knows when, goes right after it.

    Args:
        send: an outbox's `send_all`.
        speed: how many times faster than recorded; infinity is as fast as the outbox takes them.
        progress: counted there.
        monotonic: seconds that never step back.
        sleep: waits for so many of them.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Pair]], Awaitable[int]],
        *,
        speed: float,
        progress: Progress,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._send, self._speed, self._progress = send, speed, progress
        self._monotonic, self._sleep = monotonic, sleep
        self._origin: tuple[float, float] | None = None
        self._due: float | None = None

    async def play(self, messages: Iterable[tuple[float | None, Pair]]) -> None:
        """Send these, each with the Unix seconds it was recorded at. Returns when the outbox has the last one.

        Cancelled: what was due before is sent, some of it perhaps not.
        """
        burst: list[Pair] = []
        dues: list[float] = []
        for recorded, pair in messages:
            if self._speed < math.inf:
                due = self._when(recorded)
                if due - self._monotonic() > _PATIENCE:
                    await self._hand_over(burst, dues)
                    burst, dues = [], []
                    await self._wait(due)
                dues.append(due)
            burst.append(pair)
            if len(burst) >= _BURST:
                await self._hand_over(burst, dues)
                burst, dues = [], []
        await self._hand_over(burst, dues)

    def _when(self, recorded: float | None) -> float:
        """Monotonic seconds at which a message is due; never before the one it follows."""
        if self._due is None:
            self._due = self._monotonic()
        if recorded is not None:
            if self._origin is None:
                self._origin = recorded, self._due
            first, began = self._origin
            self._due = max(self._due, began + (recorded - first) / self._speed)
        return self._due

    async def _wait(self, due: float) -> None:
        wait = due - self._monotonic()  # handing over the ones before took its time
        if wait > 0:
            await self._sleep(wait)

    async def _hand_over(self, burst: list[Pair], dues: list[float]) -> None:
        if not burst:
            return
        progress, now = self._progress, self._monotonic()
        progress.began(now)
        for due in dues:
            progress.latest = max(0.0, now - due)
            progress.lag.add(progress.latest)
        refused = await self._send(burst)
        progress.handed_over(burst, refused, self._monotonic())

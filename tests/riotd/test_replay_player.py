"""Pacing by a clock that is moved by hand: when each message is handed over."""

import math
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from riotd.replay import Pair, Player, Progress
from riotd.testing import ManualClock

_EARLY = 0.002


class Stage:
    """A player on a clock of its own, and what it does: (seconds, payload) of each message, each sleep.

    Args:
        speed: the player's.
        stalls: seconds that the n-th handing over takes.
    """

    def __init__(self, speed: float, stalls: dict[int, float] | None = None) -> None:
        self.clock, self.progress = ManualClock(), Progress()
        self.sent: list[tuple[float, bytes]] = []
        self.sleeps: list[float] = []
        self.bursts: list[int] = []
        self._stalls = stalls or {}
        self._player = Player(
            self._send, speed=speed, progress=self.progress, monotonic=self.clock.monotonic, sleep=self._sleep
        )

    async def play(self, times: Iterable[float | None]) -> list[float]:
        """The seconds at which messages recorded at these times are handed over."""
        await self._player.play((time, ("t", b"%d" % number)) for number, time in enumerate(times))
        assert [int(payload) for _, payload in self.sent] == list(range(len(self.sent)))
        return [second for second, _ in self.sent]

    async def _send(self, pairs: Sequence[Pair]) -> int:
        self.sent += [(self.clock.monotonic(), payload) for _, payload in pairs]
        self.bursts.append(len(pairs))
        self.clock.advance(self._stalls.get(len(self.bursts) - 1, 0.0))
        return 0

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.clock.advance(seconds)


def _near(found: Sequence[float], expected: Sequence[float]) -> bool:
    return len(found) == len(expected) and all(abs(a - b) < 1e-9 for a, b in zip(found, expected, strict=True))


async def test_messages_keep_the_distances_they_were_recorded_with() -> None:
    """At speed 1, counted from the first one."""
    assert _near(await Stage(1.0).play([1000.0, 1001.0, 1001.5, 1010.0]), [0.0, 1.0, 1.5, 10.0])


async def test_speed_divides_the_distances() -> None:
    """Ten times faster than recorded; half as fast."""
    assert _near(await Stage(10.0).play([1000.0, 1001.0, 1010.0]), [0.0, 0.1, 1.0])
    assert _near(await Stage(0.5).play([1000.0, 1001.0, 1010.0]), [0.0, 2.0, 20.0])


async def test_what_is_late_is_caught_up_with_at_once_and_the_rest_is_on_time() -> None:
    """A stall of 3.5 s delays the four messages due in it, by no more than it lasts; nothing drifts."""
    stage = Stage(1.0, stalls={1: 3.5})
    assert _near(await stage.play(range(8)), [0.0, 1.0, 4.5, 4.5, 4.5, 5.0, 6.0, 7.0])
    assert abs(stage.progress.lag.max - 2.5) < 1e-9


async def test_waits_below_two_milliseconds_are_none() -> None:
    """10,000 messages in a second take some 333 sleeps; none of them is late, or early by more than 2 ms."""
    stage = Stage(1.0)
    found = await stage.play([number / 10_000 for number in range(10_000)])
    assert len(stage.sleeps) < 500
    assert all(-_EARLY <= second - number / 10_000 < 1e-9 for number, second in enumerate(found))


async def test_a_message_of_the_past_or_of_no_time_goes_right_after_the_one_before() -> None:
    """It neither waits nor counts as late."""
    stage = Stage(1.0)
    assert _near(await stage.play([None, 100.0, 105.0, None, 90.0, 106.0]), [0.0, 0.0, 5.0, 5.0, 5.0, 6.0])
    assert stage.progress.lag.max < 1e-9


async def test_at_full_speed_nothing_waits_and_bursts_are_bounded() -> None:
    """The recorded times do not matter, and no lag is counted."""
    stage = Stage(math.inf)
    assert await stage.play(number * 1e6 for number in range(1000)) == [0.0] * 1000
    assert stage.sleeps == []
    assert max(stage.bursts) <= 256
    assert stage.progress.lag.count == 0


async def test_the_clock_goes_on_from_one_group_to_the_next() -> None:
    """A second `play` continues the first one's time."""
    stage = Stage(1.0)
    await stage.play([0.0, 1.0])
    stage.clock.advance(0.25)
    await stage._player.play([(2.0, ("t", b"2"))])
    assert stage.sent[-1] == (2.0, b"2")


@given(
    times=st.lists(st.floats(0, 1e5) | st.none(), max_size=60),
    speed=st.floats(0.1, 1000),
    stalls=st.dictionaries(st.integers(0, 20), st.floats(0, 100)),
)
async def test_no_message_is_early_and_none_waits_without_a_reason(
    times: list[float | None], speed: float, stalls: dict[int, float]
) -> None:
    """Each goes at its due time or when the handing over before it is done, whatever the times, speed and stalls."""
    stage = Stage(speed, stalls)
    found = await stage.play(times)
    first = next((time for time in times if time is not None), 0.0)
    due = 0.0
    for time, second in zip(times, found, strict=True):
        due = due if time is None else max(due, (time - first) / speed)
        assert second >= due - _EARLY - 1e-6
        assert second <= due + sum(stalls.values()) + 1e-6
    assert (stage.progress.sent, stage.progress.refused) == (len(times), 0)

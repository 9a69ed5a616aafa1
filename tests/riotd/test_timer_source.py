import asyncio
import re
from pathlib import Path

import orjson
import pytest

from riotd.clock import SystemClock
from riotd.config.timers import TimerSource as Block
from riotd.errors import ConfigError
from riotd.sources import timer
from riotd.sources.remembering import Memory
from riotd.sources.timer import TimerSource
from riotd.testing import ManualClock

DOCS = Path(__file__).resolve().parents[2] / "docs/operations.md"
HOUR = 3600.0
SHARP = 1_700_002_800.0  # a full hour of UTC


def block(**settings: object) -> Block:
    return Block.model_validate({"type": "timer", **settings})


def timers(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "timers.csv"
    path.write_text("\n".join(("msgId,timestamp,rowstart,rowend", *lines)))
    return str(path)


async def test_a_tick_as_a_message() -> None:
    """A tick's topic has the source's name; its payload says number, time and the stretch in milliseconds."""
    clock = ManualClock(50.0, wall=SHARP + 1800)
    async with TimerSource(block(every="1h", align=True), name="train", clock=clock) as source:
        clock.advance(HOUR)
        (message,) = await source.receive()
    assert message.topic == "timer/train"
    assert message.received == 50.0 + HOUR
    assert orjson.loads(message.payload) == {
        "n": 1,
        "time": SHARP + HOUR,
        "rowstart": int(SHARP) * 1000,
        "rowend": int(SHARP + HOUR) * 1000,
        "missed": 0,
    }
    assert source.counters() == {"received": 1, "bytes": len(message.payload), "missed": 0, "wrong": 0, "set_back": 0}


async def test_a_payload_is_as_documented() -> None:
    """The members of a tick are those that the documentation has, in its order."""
    section = DOCS.read_text(encoding="utf-8").partition("## Timers as a source")[2].partition("| what happens |")[0]
    members = [
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    async with TimerSource(block(every="1h", at_start=True), name="t", clock=ManualClock()) as source:
        (message,) = await source.receive()
    assert list(orjson.loads(message.payload)) == members


async def test_cron_in_its_zone() -> None:
    """A line of cron is read in the time zone given with it."""
    clock = ManualClock(wall=SHARP)  # 2023-11-14 23:00 UTC, midnight in Berlin
    config = block(cron="0 0 * * *", timezone="Europe/Berlin", at_start=True)
    async with TimerSource(config, name="nightly", clock=clock) as source:
        (message,) = await source.receive()
    assert orjson.loads(message.payload)["rowend"] == SHARP * 1000


async def test_missed_ticks_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Ticks that nobody took come as one, and are counted and said."""
    clock = ManualClock(wall=SHARP)
    async with TimerSource(block(every="1m"), name="t", clock=clock) as source:
        clock.advance(5 * 60)
        (message,) = await source.receive()
    assert orjson.loads(message.payload)["missed"] == 4
    assert source.counters()["missed"] == 4
    assert "4 ticks missed" in caplog.text


async def test_ticks_in_real_time() -> None:
    """By the machine's clocks, ticks come when they are due and not before, each where the last one ended."""
    clock = SystemClock()
    async with TimerSource(block(every="20ms"), name="t", clock=clock) as source:
        ticks = []
        for _ in range(5):
            (message,) = await source.receive()
            ticks.append(orjson.loads(message.payload))
            assert clock.wall() >= ticks[-1]["time"]
    assert [tick["rowstart"] for tick in ticks[1:]] == [tick["rowend"] for tick in ticks[:-1]]
    assert {(tick["rowend"] - tick["rowstart"]) / (tick["missed"] + 1) for tick in ticks} == {20}


async def test_the_wall_clock_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that is set forward while it waits is noticed at the next look, long before the wait would end."""
    monkeypatch.setattr(timer, "LOOKS", 0.005)
    clock = ManualClock(wall=SHARP)
    async with TimerSource(block(every="1h"), name="t", clock=clock) as source:
        waiting = asyncio.create_task(source.receive())
        await asyncio.sleep(0)
        clock.set_wall(SHARP + HOUR)
        assert len(await waiting) == 1


async def test_cancelled_it_loses_nothing() -> None:
    """A tick that comes while nobody waits any more is given with the next call."""
    clock = ManualClock(wall=SHARP)
    async with TimerSource(block(every="1m"), name="t", clock=clock) as source:
        waiting = asyncio.create_task(source.receive())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        clock.advance(60)
        assert len(await source.receive()) == 1


async def test_stop_ends_the_wait() -> None:
    """Asked to stop, it ends at once, and stays so."""
    async with TimerSource(block(every="1h", at_start=True), name="t", clock=ManualClock()) as source:
        await source.ack(await source.receive())
        waiting = asyncio.create_task(source.receive())
        await asyncio.sleep(0)
        await source.stop()
        assert await waiting == []
        assert await source.receive() == []


async def test_a_timer_file_ends(tmp_path: Path) -> None:
    """The rows of a file come in their own time, with their own ids and stretches; behind the last one is the end."""
    clock = ManualClock(wall=SHARP)
    file = timers(tmp_path, "1,1443033000,1422748800000,1422749800000", "2,1443033120,1422752400000,1422753400000")
    async with TimerSource(block(file=file, speed=12), name="t", clock=clock) as source:
        (first,) = await source.receive()
        clock.advance(10)
        (second,) = await source.receive()
        assert await source.receive() == []
    keys = ("n", "time", "rowstart", "rowend")
    assert [tuple(orjson.loads(message.payload)[key] for key in keys) for message in (first, second)] == [
        (1, SHARP, 1422748800000, 1422749800000),
        (2, SHARP + 10, 1422752400000, 1422753400000),
    ]


async def test_a_wrong_row_is_a_message_that_explains_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong row of a file is counted, said, and given as what no parser takes, with line and reason."""
    file = timers(tmp_path, "1,0,10,20", "2,0,20,10", "3,0,20,30")
    async with TimerSource(block(file=file), name="t", clock=ManualClock()) as source:
        first, wrong, third = await source.receive()
    assert [orjson.loads(message.payload)["n"] for message in (first, third)] == [1, 3]
    said = "2,0,20,10 ... [line 3 of the timer file: rowend: must be after rowstart, 20 (is 10)]"
    assert wrong.payload.decode() == said
    assert "line 3" in caplog.text
    assert source.counters()["wrong"] == 1


async def test_a_file_that_went_away(tmp_path: Path) -> None:
    """A file that is not there any more is a mistake of the config, not a crash."""
    source = TimerSource(block(file=str(tmp_path / "none.csv")), name="t", clock=ManualClock())
    with pytest.raises(ConfigError, match=r"none\.csv"):
        await source.__aenter__()
    assert await source.receive() == []
    await source.__aexit__(None, None, None)


async def ticks(source: TimerSource, count: int = 1) -> list[tuple[float, float, int]]:
    """The next ticks: beginning and end of their stretches, Unix seconds, and how many they stand for beside."""
    found = []
    for _ in range(count):
        (message,) = await source.receive()
        tick = orjson.loads(message.payload)
        found.append((tick["rowstart"] / 1000, tick["rowend"] / 1000, tick["missed"]))
        await source.ack([message])
    return found


class TestMissed:
    @pytest.mark.parametrize("when", [{"every": "1h", "align": True}, {"cron": "0 * * * *"}])
    async def test_once_makes_up_for_the_time_the_daemon_was_down(
        self, when: dict[str, object], tmp_path: Path
    ) -> None:
        """The first tick stands for all since the last one of the life before; then they come as ever."""
        clock, settings = ManualClock(50.0, wall=SHARP + 1800), block(**when, missed="once")
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path / "state", "t")) as source:
            clock.advance(HOUR)
            assert await ticks(source) == [(SHARP, SHARP + HOUR, 0)]
        clock.advance(5 * HOUR)
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path / "state", "t")) as source:
            assert await ticks(source) == [(SHARP + HOUR, SHARP + 6 * HOUR, 4)]
            clock.advance(HOUR)
            assert await ticks(source) == [(SHARP + 6 * HOUR, SHARP + 7 * HOUR, 0)]

    async def test_a_first_life_without_a_tick_counts(self, tmp_path: Path) -> None:
        """What ended after the first start is made up for, although that life ended before it gave any tick."""
        clock, settings = ManualClock(50.0, wall=SHARP + 1800), block(cron="0 * * * *", missed="once")
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path, "t")):
            pass
        clock.advance(3 * HOUR)
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path, "t")) as source:
            assert await ticks(source) == [(SHARP, SHARP + 3 * HOUR, 2)]

    async def test_what_was_not_acknowledged_comes_again(self, tmp_path: Path) -> None:
        """A tick whose results were not out yet is in the stretch of the first one of the next life."""
        clock, settings = ManualClock(50.0, wall=SHARP + 1800), block(every="1h", align=True, missed="once")
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path, "t")) as source:
            clock.advance(HOUR)
            await source.receive()
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path, "t")) as source:
            assert await ticks(source) == [(SHARP, SHARP + HOUR, 0)]

    async def test_an_interval_from_the_start_goes_on_from_the_last_tick(self, tmp_path: Path) -> None:
        """Without align, too, stretches have no holes: the interval is counted from where the last tick ended."""
        clock, settings = ManualClock(50.0, wall=SHARP), block(every="1h", missed="once")
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path, "t")) as source:
            clock.advance(HOUR)
            assert await ticks(source) == [(SHARP, SHARP + HOUR, 0)]
        clock.advance(1.5 * HOUR)
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path, "t")) as source:
            assert await ticks(source) == [(SHARP + HOUR, SHARP + 2 * HOUR, 0)]

    async def test_a_memory_that_cannot_be_read_is_left_out(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A file of somebody else's making is said, and the timer begins as if there were none."""
        (tmp_path / "timer-t").write_text("yesterday")
        clock, settings = ManualClock(50.0, wall=SHARP + 1800), block(every="1h", align=True, missed="once")
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path, "t")) as source:
            clock.advance(HOUR)
            assert await ticks(source) == [(SHARP, SHARP + HOUR, 0)]
        assert "timer-t can't be read" in caplog.text

    async def test_a_disk_that_refuses_is_said_once(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """Where the place can't be kept the ticks go on, and one warning says so."""
        (tmp_path / "file").write_text("")
        clock, settings = ManualClock(50.0, wall=SHARP), block(every="1h", missed="once")
        async with TimerSource(settings, name="t", clock=clock, memory=Memory(tmp_path / "file", "t")) as source:
            for _ in range(3):
                clock.advance(HOUR)
                await ticks(source)
        assert caplog.text.count("can't be written") == 1

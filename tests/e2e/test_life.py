"""Start, reload, drain, abort, crash: the daemon's life under load."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemon import Daemon, Listener, feed, heard, pipeline, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
Config = dict[str, Any]


class TestLeaving:
    async def test_sigterm_drains(self, broker: Broker, config: Config, make_daemon: Make) -> None:
        """SIGTERM under load: what was taken in is finished, exit 0; the next run does the rest, and nothing twice."""
        async with Listener(broker.port, "out/#") as listener:
            async with make_daemon(config) as first:
                sending = asyncio.create_task(publish(broker.port, feed(3000)))
                await listener.count(200)
                assert await first.stop() == 0
            await sending
            async with make_daemon(config) as second:
                await listener.count(3000)
                assert await second.stop() == 0
        assert heard(listener).messages == {f"dev{device}": list(range(device, 3000, 5)) for device in range(5)}
        assert "in flight 0" in first.log

    async def test_a_second_signal_leaves_at_once(
        self, make_broker: Callable[..., Broker], make_daemon: Make, tmp_path: Path
    ) -> None:
        """With the sink's broker gone a drain can't finish; a second signal leaves and says what is unacknowledged."""
        broker, other = make_broker(), make_broker()
        broker.start()
        other.start()
        config = pipeline(broker.port, tmp_path)
        config["sinks"]["results"]["connection"] = {"url": f"mqtt://127.0.0.1:{other.port}", "protocol": "3.1.1"}
        async with make_daemon(config) as daemon, Listener(broker.port, "riotd/test/stats") as listener:
            other.stop()
            await publish(broker.port, feed(7))
            await listener.until(lambda all_heard: any(b'"in_flight":7' in payload for _, payload in all_heard))
            daemon.signal(signal.SIGTERM)
            await daemon.logged("draining")
            daemon.signal(signal.SIGTERM)
            assert await daemon.exit(within=10) == 1
        assert "7 messages unacknowledged" in daemon.log

    async def test_kill_9_loses_nothing(self, broker: Broker, config: Config, make_daemon: Make) -> None:
        """Killed twice under load: every message's result arrives; what was unacknowledged comes again, in order."""
        async with Listener(broker.port, "out/#") as listener:
            sending = None
            for until in (300, 1200):
                async with make_daemon(config) as daemon:
                    sending = sending or asyncio.create_task(publish(broker.port, feed(3000)))
                    await listener.count(until)
                    daemon.kill()
            async with make_daemon(config) as daemon:
                await sending
                await listener.count(3000)  # counting what is told apart costs 10 ms a message
                await listener.until(lambda _: sum(map(len, map(set, heard(listener).messages.values()))) == 3000)
                assert await daemon.stop() == 0
        for device, messages in heard(listener).messages.items():
            first_time = list(dict.fromkeys(messages))
            assert first_time == sorted(first_time), device


class TestReloading:
    async def test_sighup_swaps_what_can_be_swapped(self, broker: Broker, config: Config, make_daemon: Make) -> None:
        """A new parameter is in force after SIGHUP with nothing lost; what needs a restart is named."""
        async with make_daemon(config) as daemon, Listener(broker.port, "out/#") as listener:
            await publish(broker.port, feed(3, devices=1))
            await listener.count(3)
            config["stages"][1]["params"] = {"step": 100}
            config["key"] = {"topic_level": 0}
            daemon.write(config)
            daemon.signal(signal.SIGHUP)
            await daemon.heard("RELOADING=1")
            await daemon.heard("READY=1")
            await publish(broker.port, feed(2, devices=1))
            await listener.count(5)
            assert await daemon.stop() == 0
        assert heard(listener).numbers == {"dev0": [1, 2, 3, 100, 200]}
        assert "not changed until a restart: key" in daemon.log

    async def test_a_broken_file_changes_nothing(self, broker: Broker, config: Config, make_daemon: Make) -> None:
        """SIGHUP with a file that is wrong: every mistake in the log, and the daemon runs on as before."""
        async with make_daemon(config) as daemon, Listener(broker.port, "out/#") as listener:
            daemon.write({**config, "stages": [{"task": "no_such_task"}], "bach": {}})
            daemon.signal(signal.SIGHUP)
            await daemon.logged("reload refused")
            await publish(broker.port, feed(1))
            await listener.count(1)
            assert await daemon.stop() == 0
        assert "no_such_task" in daemon.log
        assert "bach" in daemon.log

    async def test_sighup_under_load_loses_nothing(self, broker: Broker, config: Config, make_daemon: Make) -> None:
        """Three reloads in the middle of a feed: every message's result once, in order, counted without a gap."""
        async with make_daemon(config) as daemon, Listener(broker.port, "out/#") as listener:
            sending = asyncio.create_task(publish(broker.port, feed(3000)))
            for reload in range(3):
                await listener.count(300 * (reload + 1))
                daemon.write({**config, "batch": {"max_records": 10 + reload}})
                daemon.signal(signal.SIGHUP)
                await daemon.heard("RELOADING=1")
                await daemon.heard("READY=1")
            await sending
            await listener.count(3000)
            assert await daemon.stop() == 0
        assert heard(listener).numbers == {f"dev{device}": list(range(1, 601)) for device in range(5)}


class TestBeingWatched:
    async def test_the_watchdog_is_fed(self, config: Config, make_daemon: Make) -> None:
        """An idle daemon feeds systemd's watchdog."""
        async with make_daemon(config, WATCHDOG_USEC="400000") as daemon:
            for _ in range(3):
                await daemon.heard("WATCHDOG=1", within=2)

    async def test_a_hung_task_starves_the_watchdog(self, broker: Broker, config: Config, make_daemon: Make) -> None:
        """While a task does not return, the watchdog is not fed, though the loop is alive."""
        config["stages"][1] = {"id": "hang", "task": "tests.sample_tasks:Hanging"}
        async with make_daemon(config, WATCHDOG_USEC="400000") as daemon:
            await publish(broker.port, feed(1))
            with pytest.raises(TimeoutError):
                await self._feedings(daemon, 100)

    async def test_a_sink_out_of_reach_does_not(
        self, make_broker: Callable[..., Broker], make_daemon: Make, tmp_path: Path
    ) -> None:
        """Waiting for a broker is honest: the watchdog is fed while results can't be delivered."""
        broker, other = make_broker(), make_broker()
        broker.start()
        config = pipeline(broker.port, tmp_path)
        config["sinks"]["results"]["connection"] = {"url": f"mqtt://127.0.0.1:{other.port}", "protocol": "3.1.1"}
        async with make_daemon(config, WATCHDOG_USEC="400000") as daemon:
            await publish(broker.port, feed(1))
            await self._feedings(daemon, 12)

    async def _feedings(self, daemon: Daemon, count: int) -> None:
        for _ in range(count):
            await daemon.heard("WATCHDOG=1", within=2)

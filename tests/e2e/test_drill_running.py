"""A drill of a daemon in use: it is hurt, is back, and its books are closed; or it is said that it is not."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.e2e.daemon import Daemon, Listener, feed, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
Config = dict[str, Any]


async def drill(daemon: Daemon, *words: str) -> subprocess.CompletedProcess[str]:
    """`riotd drill CONFIG --running`, by somebody without a terminal."""
    command = (sys.executable, "-m", "riotd", "drill", str(daemon.file), "--running", *words)
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


class TestRunning:
    async def test_a_killed_daemon_that_is_started_again_is_well(
        self, broker: Broker, config: Config, make_daemon: Make
    ) -> None:
        """SIGKILL: the next process is found, its books are closed, what it does again is said, and results go on."""
        async with Listener(broker.port, "out/#") as listener, make_daemon(config) as daemon:
            await publish(broker.port, feed(300))
            await listener.count(300)
            drilling = asyncio.create_task(drill(daemon, "--faults", "kill-daemon", "--yes", "--json"))
            assert await daemon.exit() == -9
            daemon.start()  # as systemd would
            await daemon.heard("READY=1")
            done = await drilling
            assert done.returncode == 0, done.stdout + done.stderr
            shock = json.loads(done.stdout)
            assert (shock["complaint"], shock["alarms"]) == ("", [])
            assert shock["pids"][1] not in {None, shock["pids"][0]}
            await publish(broker.port, [("in/dev1", feed(1)[0][1])])
            await listener.count(301)

    async def test_a_daemon_that_nobody_starts_again_is_not_well(self, config: Config, make_daemon: Make) -> None:
        """Exit 1 where it does not come back in time."""
        async with make_daemon(config) as daemon:
            done = await drill(daemon, "--faults", "drain-daemon", "--yes", "--within", "2s")
            assert (done.returncode, "nobody has started it again" in done.stdout) == (1, True)

    async def test_it_is_not_hurt_unasked(self, config: Config, make_daemon: Make) -> None:
        """Without faults that are named, or a yes, nothing happens; nor where a kill would lose what tasks know."""
        async with make_daemon(config) as daemon:
            unnamed = await drill(daemon, "--yes")
            unsure = await drill(daemon, "--faults", "kill-daemon")
            dangerous = await drill(daemon, "--faults", "skew-clock", "--yes")
            lossy = await drill(daemon, "--faults", "kill-daemon", "--yes", "--set", "ack=processed")
            assert [done.returncode for done in (unnamed, unsure, dangerous, lossy)] == [2, 2, 2, 1]
            assert "Nobody is there to confirm it" in unsure.stderr
            assert "keeps nothing" in lossy.stderr
            assert daemon.process is not None
            assert daemon.process.poll() is None

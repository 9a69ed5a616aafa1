"""How each fault is done to a scratch system."""

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from riotd.drill import processes, skewed
from riotd.drill.broker import Broker
from riotd.drill.daemon import Daemon
from riotd.drill.faults import Planned
from riotd.drill.feeder import Feeder
from riotd.drill.proxy import Mood, Proxy

_STEPS = (3600.0, -3600.0, -time.time())
"""Seconds the clock is set off by: an hour ahead, an hour back, to 1970."""
_LARGEST_FILE = 4096
"""Bytes, while the disk is full."""


class System(msgspec.Struct, frozen=True):
    """What can be hurt.

    Attributes:
        daemon: it.
        inlet, outlet: between it and the broker, for what comes and what goes.
        broker: None if it is somebody else's.
        feeder: who feeds it.
        folder: on the disk of its state.
    """

    daemon: Daemon
    inlet: Proxy
    outlet: Proxy
    broker: Broker | None
    feeder: Feeder
    folder: Path


class Strikes:
    """The faults, by name; each returns when it is over, though not recovered from.

    Attributes:
        kills: processes that were killed, daemons and workers.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self.kills = 0
        self._by_name: Mapping[str, Callable[[Planned], Awaitable[None]]] = {
            "kill-daemon": self._kill_daemon,
            "kill-actor": self._kill_actor,
            "cut-broker": self._cut,
            "half-open": lambda planned: self._network("hold", planned),
            "slice-network": lambda planned: self._network("slice", planned),
            "slow-network": lambda planned: self._network("delay", planned),
            "restart-broker": self._restart_broker,
            "stop-daemon": self._stop_daemon,
            "drain-daemon": self._drain,
            "fill-quota": self._fill_quota,
            "full-disk": self._full_disk,
            "slow-disk": self._slow_disk,
            "skew-clock": self._skew_clock,
        }

    async def strike(self, planned: Planned) -> None:
        """Do it."""
        await self._by_name[planned.fault](planned)

    async def _kill_daemon(self, planned: Planned) -> None:
        self.kills += self._system.daemon.kill()
        if planned.patient:
            await self._system.daemon.ready()

    async def _kill_actor(self, planned: Planned) -> None:
        victims = processes.workers(self._system.daemon.pid)
        if victims:
            self.kills += processes.end([victims[int(planned.chance * len(victims))]])

    async def _cut(self, planned: Planned) -> None:
        for proxy in self._proxies:
            proxy.mood = "refuse"
            proxy.reset()
        await asyncio.sleep(planned.lasts)
        self._heal()

    async def _network(self, mood: Mood, planned: Planned) -> None:
        for proxy in self._proxies:
            proxy.mood = mood
        await asyncio.sleep(planned.lasts)
        self._heal()

    async def _restart_broker(self, planned: Planned) -> None:
        del planned
        if self._system.broker is None:
            return
        await self._system.feeder.hold()  # what it sends twice nobody could tell from what the daemon does twice
        await self._system.broker.restart()
        self._system.feeder.go_on()

    async def _stop_daemon(self, planned: Planned) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._system.daemon.pid, signal.SIGSTOP)
            await asyncio.sleep(planned.lasts)
            os.kill(self._system.daemon.pid, signal.SIGCONT)

    async def _drain(self, planned: Planned) -> None:
        del planned
        daemon = self._system.daemon
        was_ready = daemon.is_ready
        code = await daemon.drain()
        if code != 0 and was_ready:
            daemon.deaths.append(f"drained, with exit {code}")
        await daemon.ready()

    async def _fill_quota(self, planned: Planned) -> None:
        self._system.outlet.mood = "hold"
        await asyncio.sleep(planned.lasts)
        self._heal()

    async def _full_disk(self, planned: Planned) -> None:
        pid = self._system.daemon.pid
        with suppress(ProcessLookupError):
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (_LARGEST_FILE, before[1]))
            await asyncio.sleep(planned.lasts)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    async def _slow_disk(self, planned: Planned) -> None:
        file = self._system.folder / "churn"
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "riotd.drill.churn", str(file))
        try:
            await asyncio.sleep(planned.lasts)
        finally:
            process.kill()
            await process.wait()
            await asyncio.to_thread(file.unlink, missing_ok=True)

    async def _skew_clock(self, planned: Planned) -> None:
        file = self._system.folder / "skew"
        skewed.write(file, _STEPS[int(planned.chance * len(_STEPS))])
        await asyncio.sleep(planned.lasts)
        skewed.write(file, 0.0)

    @property
    def _proxies(self) -> tuple[Proxy, Proxy]:
        return self._system.inlet, self._system.outlet

    def _heal(self) -> None:
        for proxy in self._proxies:
            proxy.mood = "pass"

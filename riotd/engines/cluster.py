"""The Ray that a process talks to: started as small as can be, or reached, and left as it was found.

Ray reads its environment when it is imported, so it is imported when it is needed.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any

from riotd.engines.surroundings import Surroundings
from riotd.errors import EngineError

_OBJECT_STORE = 80 * 2**20
"""Bytes, about the least Ray accepts: portions travel inline, only large snapshots go through it."""
_UNNEEDED = ("start_monitor", "start_log_monitor", "start_api_server")
"""Processes of a head that scale clusters, show logs and dashboards: four of the ten seconds of CPU that a start takes,
and 200 MB. `ray.init` has no word for leaving them out; a Ray that calls them something else starts them."""
_PROBE = 5.0
"""Seconds for the first connection to a cluster."""


class Cluster:
    """The Ray this process talks to: a local pool of our own, one at an address, or what it already talks to.

    Starts and stops in one thread of its own: it takes 6 s and 2 s, in which the loop goes on; off the main thread
    Ray leaves the signal handlers alone; and the pool's processes end when the thread that started them does.

    Args:
        address: `host:port` or `auto` for a running cluster; None for a local pool.
        shards: actors the local pool is for, besides a spare.
    """

    def __init__(self, address: str | None, *, shards: int) -> None:
        self._address, self._shards = address, shards
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        self._surroundings: Surroundings | None = None
        self._processes: list[Any] = []
        self._stopped = False

    @property
    def ours(self) -> bool:
        """Whether it is a local pool that this object has started."""
        return self._surroundings is not None and self._surroundings.folder is not None

    async def start(self, then: Callable[[], None]) -> None:
        """Start or reach Ray, then do `then` in the same thread.

        Raises:
            EngineError: it can't be started or reached.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._start, then)

    def stands(self) -> bool:
        """Whether the processes live that our own pool is made of; of others it is not known here."""
        return all(process.poll() is None for process in self._processes)

    async def again(self, then: Callable[[], None]) -> None:
        """End what is left of it and start it anew, then do `then` in the same thread.

        Raises:
            EngineError: it can't be started.
        """

        def renew() -> None:
            self._stop()
            self._start(then)

        await asyncio.get_running_loop().run_in_executor(self._thread, renew)
        _take_signals_back()

    async def stop(self) -> None:
        """Leave it as `start` found it."""
        if not self._stopped:
            self._stopped = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._stop)
            self._thread.shutdown()

    def _start(self, then: Callable[[], None]) -> None:
        loopback = self._address is not None and self._address.startswith(("127.", "localhost:"))
        surroundings = Surroundings(local=self._address is None, loopback=loopback)
        import ray  # noqa: PLC0415 - see the module's docstring

        if ray.is_initialized():
            surroundings.leave()
        else:
            self._surroundings = surroundings
            self._init(ray, surroundings)
        then()

    def _init(self, ray: Any, surroundings: Surroundings) -> None:  # noqa: ANN401 - Ray's types are not checked
        """Start or reach it, without the warnings that it keeps the signal handlers and uses a token."""
        options: dict[str, Any] = {"address": self._address}
        if surroundings.folder is not None:
            options = {
                "address": "local",  # even if RAY_ADDRESS is set
                "num_cpus": self._shards,  # only how many processes it starts ahead; actors ask for none
                "include_dashboard": False,
                "object_store_memory": _OBJECT_STORE,
                "_node_ip_address": "127.0.0.1",
                "_temp_dir": str(surroundings.folder / "ray"),
                "_system_config": {"task_events_report_interval_ms": 0},  # 41 MiB instead of 232 after 200,000 calls
            }
        logger = logging.getLogger("ray")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            _probe(self._address)
            with _trimmed(ray):
                ray.init(log_to_driver=False, configure_logging=False, **options)
        except Exception as error:
            what = "a local Ray can't be started" if self._address is None else f"no Ray at {self._address}"
            raise EngineError(f"{what}: {error}") from error
        finally:
            logger.setLevel(level)
        self._processes = _processes(ray) if surroundings.folder is not None else []
        ray._private.worker._worker_logs_enabled = False  # noqa: SLF001 - else the raylet's log comes on stdout at a death

    def _stop(self) -> None:
        if self._surroundings is None:
            return
        self._processes = []
        import ray  # noqa: PLC0415 - see the module's docstring

        ray.shutdown()
        self._surroundings.leave()
        self._surroundings = None


@contextmanager
def _trimmed(ray: Any) -> Iterator[None]:  # noqa: ANN401 - Ray's types are not checked
    """A head that is started meanwhile has no processes that nobody here needs."""
    node = ray._private.node.Node  # noqa: SLF001 - nothing public does it
    kept = {name: getattr(node, name) for name in _UNNEEDED if hasattr(node, name)}
    for name in kept:
        setattr(node, name, _nothing)
    try:
        yield
    finally:
        for name, method in kept.items():
            setattr(node, name, method)


def _take_signals_back() -> None:
    """Have Python handle signals as it did: `ray.init` has the process handle them in C."""
    if current_thread() is main_thread():
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if (handler := signal.getsignal(number)) is not None:
                signal.signal(number, handler)


def _processes(ray: Any) -> list[Any]:  # noqa: ANN401 - Ray's types are not checked
    """The processes without which a pool is lost; none where this Ray keeps them elsewhere."""
    node = ray._private.worker._global_node  # noqa: SLF001 - nothing public says whether they live
    known = getattr(node, "all_processes", {})
    return [each.process for name in ("gcs_server", "raylet") for each in known.get(name, ())]


def _nothing(*_: object, **__: object) -> None:
    """In place of what is left out."""


def _probe(address: str | None) -> None:
    """Raise OSError if nobody listens at an address: Ray itself would try for minutes."""
    if address is not None and address != "auto":
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=_PROBE).close()

"""Ray's actors as workers: where they are made, and how one is ended.

Ray reads its environment when it is imported, so it is imported when it is needed.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from riotd.engines.line import Line
from riotd.engines.worker import Worker
from riotd.errors import ShardLost


class Place:
    """Where actors are made."""

    host: str
    """Address of this machine in the cluster."""
    _make: Any
    _first: Any

    def prepare(self) -> None:
        """Start the first actor; Ray takes a third of a second to take up the class, so not on the loop."""
        import ray  # noqa: PLC0415 - see the module's docstring

        self.host = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # by Ray's makers
        self._make = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD")(Worker)
        self._folder = str(Path.cwd())
        self._first = self._make.remote(self._folder)

    def actor(self) -> Any:  # noqa: ANN401 - Ray's types are not checked
        """A handle of a new actor."""
        first, self._first = self._first, None
        return first or self._make.remote(self._folder)


class Actor:
    """A `Worker` in an actor; keeps `riotd.engines.lanes.Remote`."""

    def __init__(
        self,
        handle: Any,  # noqa: ANN401 - Ray's types are not checked
        line: Line,
        address: tuple[str, int, str, float, int],
        *,
        stands: Callable[[], bool],
    ) -> None:
        self._handle, self._line, self._stands = handle, line, stands
        self._loop = asyncio.get_running_loop()
        self.ask = line.ask
        handle.serve.remote(*address).future().add_done_callback(self._ended)

    @property
    def spoke(self) -> float:
        """As `Remote.spoke`."""
        return self._line.spoke

    @property
    def gone(self) -> asyncio.Future[None]:
        """As `Remote.gone`."""
        return self._line.gone

    def kill(self) -> None:
        """As `Remote.kill`."""
        import ray  # noqa: PLC0415 - see the module's docstring

        if self._stands():  # else it is as good as dead, and Ray would ask those who are
            ray.kill(self._handle)
        self._line.lost(ShardLost("it was killed"))

    def _ended(self, done: Future[None]) -> None:
        """In a thread of Ray's: it knows why a worker ended, mostly a little after the line went dead."""
        if (error := done.exception()) is not None:
            lines = [line for line in str(error).splitlines() if not line.startswith("\t")]  # tabs: its number, pid, ip
            cause = ShardLost(" ".join(lines)[:240])
            with suppress(RuntimeError):  # the loop has ended too
                self._loop.call_soon_threadsafe(self._line.lost, cause)

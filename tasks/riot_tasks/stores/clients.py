"""One client for each address in a process: made when first needed, shared by all tasks, never pickled."""

import atexit
import os
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class Client(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Let go of connections; a later use of another client to the same address is not disturbed."""


C = TypeVar("C", bound=Client)


class Clients(Generic[C]):
    """The clients of one kind that are open in this process.

    Any thread may ask. A forked child makes its own: connections do not survive a fork. They are closed when the
    process ends.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[int, Hashable], C] = {}
        self._lock = Lock()

    def get(self, address: Hashable, make: Callable[[], C]) -> C:
        """The client for this address, made if there is none."""
        key = os.getpid(), address
        client = self._open.get(key)
        if client is None:
            with self._lock:
                client = self._open.get(key)
                if client is None:
                    client = self._open[key] = make()
                    atexit.unregister(self.close)  # once, however many there are
                    atexit.register(self.close)
        return client

    def forget(self, client: C) -> None:
        """Have the next `get` make a new one in its place; those who hold it may go on with it."""
        with self._lock:
            for key in [key for key, known in self._open.items() if known is client]:
                del self._open[key]

    def close(self) -> None:
        """Close all; the next `get` makes new ones."""
        with self._lock:
            mine = [key for key in self._open if key[0] == os.getpid()]
            for key in mine:
                self._open.pop(key).close()

"""Says so when nothing has moved for a while: a task may be waiting for something that is out of reach."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import click

LONG = 10.0
"""Seconds without progress after which it is said, once for each such time."""


@contextmanager
def impatient() -> Iterator[Callable[[], None]]:
    """What is to be called when something has moved; the first call begins the watch."""
    moved, over = Event(), Event()

    def look() -> None:
        silent = False
        while not over.wait(LONG):
            if not moved.is_set() and not silent:
                click.echo(f"nothing has come for {LONG:g} s: waiting for input, or for what a task needs", err=True)
            silent = not moved.is_set()
            moved.clear()

    watch = Thread(target=look, name="patience", daemon=True)

    def tell() -> None:
        moved.set()
        if watch.ident is None:
            watch.start()

    try:
        yield tell
    finally:
        over.set()

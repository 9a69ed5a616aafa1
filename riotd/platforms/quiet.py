"""What the platforms' libraries log in this process, off for a while."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet(*names: str) -> Iterator[None]:
    """Silence these loggers, and what is logged to the root logger itself; leaves all as it was.

    The libraries log through `logging.warning` and its like, which is the root logger's own voice, and which
    configures it if nobody else has. What other loggers say still goes its way.
    """
    root, nobody = logging.getLogger(), logging.NullHandler()
    levels = {name: logging.getLogger(name).level for name in names}
    root.addHandler(nobody)
    root.addFilter(_nothing)
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        root.removeFilter(_nothing)
        root.removeHandler(nobody)


def _nothing(_record: logging.LogRecord) -> bool:
    return False

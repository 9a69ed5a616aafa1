"""How often Python looks for cycles in what a process of ours keeps."""

import gc

_YOUNG = 10_000
"""New objects before it looks through them; Python's own 700 are less than a batch, all of which is in use."""


def collect_rarely() -> None:
    """Have the collector look less often: tasks' state lives long, and what dies has no cycles.

    Called once, where a process that runs tasks begins.
    """
    gc.set_threshold(_YOUNG, 10, 10)

"""A daemon that runs stateful tasks over live sensor feeds; and the same tasks over files and streams in memory.

`run_file`, `run_batch`, `run_stream`, `Pool` and what they give are loaded when they are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riotd.bounded.calls import run_batch, run_file, run_stream
    from riotd.bounded.pool import Pool
    from riotd.bounded.report import InputRefused, Report

__all__ = ["InputRefused", "Pool", "Report", "__version__", "run_batch", "run_file", "run_stream"]
__version__ = "0.1.0"

_ROOMS = {
    "InputRefused": "report",
    "Pool": "pool",
    "Report": "report",
    "run_batch": "calls",
    "run_file": "calls",
    "run_stream": "calls",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever has the name
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"riotd.bounded.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

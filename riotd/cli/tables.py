"""Tables: as wide as the terminal, or, for a pipe, as wide as they need."""

import sys
from collections.abc import Iterable, Sequence

_PIPE_WIDTH = 1000
"""Characters no table needs: nothing is wrapped where a program reads."""


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below their heads."""
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only tables need
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="cyan")
    for index, head in enumerate(heads):
        last = index == len(heads) - 1
        table.add_column(head, no_wrap=not last, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)

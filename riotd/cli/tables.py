"""Tables: as wide as the terminal, or, for a pipe, as wide as they need."""

import re
import sys
from collections.abc import Sequence
from shutil import get_terminal_size
from textwrap import fill, wrap

import click

_INDENT = 12
"""Columns of a label with the spaces around it."""
_SHAPED = re.compile(r"^(?: |[*-] |\d+\. )", re.MULTILINE)
"""A line whose shape says something: of a list, of a table, of code."""
_LEAST = 40
"""Columns of text, however narrow the terminal."""


def aligned(rows: Sequence[Sequence[str]], *, gap: int = 2) -> list[str]:
    """Rows as lines, each column but the last as wide as its widest cell, `gap` columns apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (" " * gap).join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def print_labelled(label: str, text: str, *, colour: str = "cyan") -> None:
    """Print a text behind its label; on a terminal its lines are broken behind the label, too."""
    lines = [text]
    if sys.stdout.isatty():
        lines = wrap(text, max(_LEAST, get_terminal_size().columns - _INDENT), break_on_hyphens=False) or [""]
    click.echo(click.style(f"  {label:{_INDENT - 4}}  ", fg=colour) + f"\n{' ' * _INDENT}".join(lines))


def reflowed(text: str) -> str:
    """Paragraphs as wide as the terminal, lists and indented lines as they are; for a pipe all is."""
    if not sys.stdout.isatty():
        return text
    width = max(_LEAST, get_terminal_size().columns)
    paragraphs = text.split("\n\n")
    return "\n\n".join(each if _SHAPED.search(each) else fill(each, width) for each in paragraphs)


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their heads; the last column wraps where a person reads, never where a program does."""
    if not sys.stdout.isatty():
        click.echo("\n".join(aligned([heads, *rows])))
        return
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="cyan")
    for head in heads:
        table.add_column(head, no_wrap=head != heads[-1], overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)

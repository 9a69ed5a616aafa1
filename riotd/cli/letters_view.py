"""Dead letters for people: kinds and a table, or one whole."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from riotd.cli.tables import print_labelled, print_table
from riotd.letters import Letter
from riotd.units import size_text

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_KINDS = 10
_ROW = 16
"""Bytes in a line of hexadecimal."""


def show_letters(letters: Sequence[Letter], *, limit: int) -> None:
    """Print how many there are of which kind, then the newest; with `limit` 0 all."""
    if not letters:
        click.echo("no dead letters")
        return
    kinds = Counter((each.letter.stage, _NUMBER.sub("…", each.letter.reason)) for each in letters)
    rows = [[f"{count:,}", stage, reason] for (stage, reason), count in kinds.most_common(_KINDS)]
    print_table(["letters", "stage", "reason"], rows)
    if len(kinds) > _KINDS:
        click.echo(f"and {sum(kinds.values()) - sum(count for _, count in kinds.most_common(_KINDS)):,} of other kinds")
    shown = letters[-limit:] if limit else letters
    click.echo()
    heads = ["letter", "time", "stage", "topic", "size", "refused", "sent again", "reason"]
    print_table(heads, [_row(each) for each in shown])
    if len(shown) < len(letters):
        click.echo(f"the newest {len(shown):,} of {len(letters):,}; --limit 0 shows all")


def show_letter(letter: Letter) -> None:
    """Print one whole."""
    inner = letter.letter
    print_labelled("letter", str(letter.number))
    print_labelled("time", _time(inner.time))
    print_labelled("stage", inner.stage)
    print_labelled("reason", inner.reason)
    print_labelled("message", str(inner.id))
    print_labelled("topic", inner.topic or "not known")
    if letter.times > 1:
        print_labelled("refused", f"{letter.times} times by now")
    if letter.replayed is not None:
        print_labelled("again", f"sent again {_time(letter.replayed)}")
    print_labelled("payload", size_text(len(inner.payload)))
    click.echo("\n".join(payload_lines(inner.payload)))


def payload_lines(payload: bytes) -> Iterator[str]:
    """A payload as indented JSON, as text, or in hexadecimal; what would move a terminal's cursor is escaped."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        yield from _hexadecimal(payload)
        return
    try:
        yield from json.dumps(json.loads(text), indent=2, ensure_ascii=False).splitlines()
    except ValueError:
        for line in text.splitlines():
            yield "".join(each if each.isprintable() or each == "\t" else repr(each)[1:-1] for each in line)


def _hexadecimal(payload: bytes) -> Iterator[str]:
    for at in range(0, len(payload), _ROW):
        row = payload[at : at + _ROW]
        text = "".join(chr(each) if 32 <= each < 127 else "." for each in row)
        yield f"{at:08x}  {row.hex(' '):{3 * _ROW - 1}}  {text}"


def _row(letter: Letter) -> list[str]:
    inner = letter.letter
    again = "no" if letter.replayed is None else _time(letter.replayed)
    times = f"{letter.times} times" if letter.times > 1 else "once"
    reason = inner.reason.replace("\n", " ")
    size = size_text(len(inner.payload))
    return [str(letter.number), _time(inner.time), inner.stage, inner.topic, size, times, again, reason]


def _time(seconds: float) -> str:
    """Local time, as people read it."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "seconds")[:19]

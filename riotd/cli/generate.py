"""`riotd generate`: realistic sensor data."""

import gzip
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Literal

import click

from riotd.cli.progress import bar

_LINES = 1000  # written at once


def _instant(_context: click.Context, _option: click.Parameter, text: str) -> float:
    """Unix seconds of `text`, which is just that or ISO 8601, in UTC unless it says otherwise."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither Unix seconds nor like 2015-02-01T00:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@click.group()
def command() -> None:
    """Make sensor data: as much as asked for, and the same again from the same seed."""


@command.command()
@click.option("--sensors", default=90, show_default=True, metavar="N", help="Devices.")
@click.option("--rate", default=90.0, show_default=True, metavar="MSG/S", help="Packs a second, of all together.")
@click.option("--seconds", type=click.FloatRange(min=0), metavar="S", help="How long a time to cover.")
@click.option("--messages", type=click.IntRange(min=0), metavar="N", help="How many packs to make.")
@click.option(
    "--seed", default=0, show_default=True, metavar="N", help="Another one gives the same sensors other values."
)
@click.option(
    "--start", default="2015-02-01T00:00:00Z", show_default=True, callback=_instant, help="ISO 8601 or Unix s."
)
@click.option(
    "--outliers", default=0.01, show_default=True, metavar="SHARE", help="Packs with a value out of its band."
)
@click.option("--gaps", default=0.005, show_default=True, metavar="SHARE", help="Packs with a field missing.")
@click.option(
    "--malformed", default=0.0, show_default=True, metavar="SHARE", help="Packs that no SenML parser may take."
)
@click.option(
    "--form", default="rfc", show_default=True, type=click.Choice(["rfc", "riotbench"]), help="RFC 8428 or draft."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File; .gz is compressed. Default standard output."
)
def city(
    *,
    sensors: int,
    rate: float,
    seconds: float | None,
    messages: int | None,
    seed: int,
    start: float,
    outliers: float,
    gaps: float,
    malformed: float,
    form: Literal["rfc", "riotbench"],
    output: Path | None,
) -> None:
    """City sensors as in RIoTBench: place, temperature, humidity, light, dust and air quality.

    One line a pack, `<epoch ms>,<SenML>`: what `riotd replay`, and a file source with `format: riotbench`, read.
    Values follow the sun, drift, go missing and jump; outliers are beyond RIoTBench's range filter for CITY, and
    nothing else is. To standard output it goes on until the reader has enough, unless it is told how much.

    \b
    Examples:
      riotd generate city --rate 200 --seconds 60 -o city.csv
      riotd generate city --messages 1000000 --malformed 0.001 --form riotbench -o city.csv.gz
      riotd generate city | riotd replay - --speed 10
    """  # noqa: D301 - click's mark for text not to be wrapped
    if seconds is not None and messages is not None:
        raise click.UsageError("Give --seconds or --messages, not both.")
    if seconds is None and messages is None and output is not None:
        raise click.UsageError("A file needs an end: give --seconds or --messages.")
    from riotd import feeds  # noqa: PLC0415 - its tables take 20 ms that --help does not need

    count = messages if seconds is None else math.floor(seconds * rate)
    try:
        feed = feeds.city(
            sensors=sensors,
            rate=rate,
            seed=seed,
            start=start,
            messages=count,
            outliers=outliers,
            gaps=gaps,
            malformed=malformed,
            form=form,
        )
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    _write(feed, output, count)


def _write(feed: Iterator[tuple[float, bytes]], output: Path | None, count: int | None) -> None:
    began, done = time.monotonic(), 0
    shown = None if output else False  # what goes to the terminal itself needs no bar
    with _opened(output) as file, bar("Making packs", total=count, shown=shown) as progress:
        while lines := [b"%d,%b\n" % (due * 1000, pack) for due, pack in islice(feed, _LINES)]:
            file.write(b"".join(lines))
            done += len(lines)
            progress.update(done, f"{done:,} at {done / (time.monotonic() - began):,.0f}/s")


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """The file to write to; standard output without a name. A .gz says nothing of when and as what it was made."""
    if output is None:
        with suppress(BrokenPipeError):  # the reader has enough
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the flush at exit complains
        return
    try:
        raw = output.open("wb")
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from None
    with raw:
        if output.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
            yield packed

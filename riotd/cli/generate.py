"""`riotd generate`: realistic sensor data."""

import gzip
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, TypedDict, Unpack

import click

from riotd.cli.progress import bar

_LINES = 1000  # written at once
_NOT_OF_FEEDS = {"peak", "output", "start", "annotations"}


class _Given(TypedDict):
    """What the options say."""

    sensors: int
    rate: float | None
    peak: float | None
    arrivals: Literal["constant", "paper"]
    seconds: float | None
    messages: int | None
    seed: int
    start: float | None
    outliers: float
    gaps: float
    malformed: float
    form: Literal["rfc", "riotbench", "csv"]
    output: Path | None
    annotations: Path | None


def _instant(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """Unix seconds of `text`, which is just that or ISO 8601, in UTC unless it says otherwise."""
    if text is None:
        return None
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


def _feed(dataset: str, *, sensors: int, rate: str, start: str) -> Callable[[Callable[..., None]], click.Command]:
    """A verb for a data set: the options that all have, with its own defaults. `rate` and `start` are said in words."""
    forms = ["rfc", "riotbench"] if dataset == "city" else ["rfc", "riotbench", "csv"]
    options = (
        click.option("--sensors", default=sensors, show_default=True, metavar="N", help="Devices."),
        click.option("--rate", type=float, metavar="MSG/S", show_default=rate, help="Packs a second, of all together."),
        click.option("--peak", type=float, metavar="MSG/S", help="Instead of --rate: the highest rate that occurs."),
        click.option(
            "--arrivals",
            default="constant",
            show_default=True,
            type=click.Choice(["constant", "paper"]),
            help="Evenly spaced; or a new rate every second, drawn from the paper's histogram, with --rate the mean.",
        ),
        click.option("--seconds", type=click.FloatRange(min=0), metavar="S", help="How long a time to cover."),
        click.option("--messages", type=click.IntRange(min=0), metavar="N", help="How many packs to make."),
        click.option(
            "--seed", default=0, show_default=True, metavar="N", help="Another one gives the same sensors other values."
        ),
        click.option("--start", show_default=start, callback=_instant, help="ISO 8601 or Unix s."),
        click.option(
            "--outliers", default=0.01, show_default=True, metavar="SHARE", help="Packs with a value out of its band."
        ),
        click.option("--gaps", default=0.005, show_default=True, metavar="SHARE", help="Packs with a field missing."),
        click.option(
            "--malformed", default=0.0, show_default=True, metavar="SHARE", help="Packs that no parser may take."
        ),
        click.option(
            "--form", default="rfc", show_default=True, type=click.Choice(forms), help="RFC 8428, draft, or rows."
        ),
        click.option(
            "-o", "--output", type=click.Path(path_type=Path), help="File; .gz is compressed. Default standard output."
        ),
        click.option(
            "--annotations",
            type=click.Path(path_type=Path, allow_dash=True),
            metavar="FILE",
            help="Instead of packs: a line `id:value,value` for each device.",
        ),
    )

    def verb(function: Callable[..., None]) -> click.Command:
        for option in reversed(options):
            function = option(function)
        return command.command(dataset)(function)

    return verb


@_feed("city", sensors=90, rate="90", start="2015-02-01T00:00:00Z")
def city(**given: Unpack[_Given]) -> None:
    """City sensors as in RIoTBench: place, temperature, humidity, light, dust and air quality.

    One line a pack, `<epoch ms>,<SenML>`: what `riotd replay`, and a file source with `format: riotbench`, read.
    Values follow the sun, drift, go missing and jump; outliers are beyond RIoTBench's range filter for CITY, and
    nothing else is. To standard output it goes on until the reader has enough, unless it is told how much.

    \b
    Examples:
      riotd generate city --rate 200 --seconds 60 -o city.csv
      riotd generate city --messages 1000000 --malformed 0.001 --form riotbench -o city.csv.gz
      riotd generate city | riotd replay - --speed 10
      riotd generate city --annotations city-annotations.txt
    """  # noqa: D301 - click's mark for text not to be wrapped
    _generate("city", given)


@_feed("taxi", sensors=20_355, rate="one trip of each in 1.7 hours", start="14 January 2013, 0 h on the taxis' clock")
def taxi(**given: Unpack[_Given]) -> None:
    """Taxi trips as in RIoTBench: who, when, where from and to, how far, and what it cost.

    Fares follow from distance and time by New York's tariff of 2013; totals are sums. With `--form riotbench` times
    are 5.5 hours off, as in the original. Rows of `--form csv` have the original's columns, after a header.

    \b
    Examples:
      riotd generate taxi --seconds 3600 -o taxi.csv
      riotd generate taxi --peak 4000 --arrivals paper --seconds 600 --form riotbench -o taxi.csv.gz
      riotd generate taxi --messages 100000 --form csv -o trips.csv
    """  # noqa: D301 - click's mark for text not to be wrapped
    _generate("taxi", given)


@_feed("fit", sensors=10, rate="50 of each", start="2014-12-06T18:30:00Z")
def fit(**given: Unpack[_Given]) -> None:
    """Body sensors as in RIoTBench: two leads of an ECG, motion of chest, ankle and arm, and the activity's label.

    Each subject goes through twelve activities, with rests in between. Another rate plays the same samples faster or
    slower.

    \b
    Examples:
      riotd generate fit --seconds 60 -o fit.csv
      riotd generate fit --sensors 100 --arrivals paper --seconds 60 --form riotbench -o fit.csv.gz
    """  # noqa: D301 - click's mark for text not to be wrapped
    _generate("fit", given)


@_feed("grid", sensors=6435, rate="one of each in half an hour", start="2009-07-14T00:00:00Z")
def grid(**given: Unpack[_Given]) -> None:
    """Electricity meters as in RIoTBench: energy consumed in half an hour.

    Households and businesses, by the hour, the day of the week and the season. Another rate plays the same half hours
    faster or slower. In a gap a meter is silent.

    \b
    Examples:
      riotd generate grid --rate 1000 --seconds 60 -o grid.csv
      riotd generate grid --sensors 3217500 --peak 10000 --arrivals paper --seconds 60 --form riotbench -o grid.csv.gz
    """  # noqa: D301 - click's mark for text not to be wrapped
    _generate("grid", given)


def _generate(dataset: Literal["city", "taxi", "fit", "grid"], given: _Given) -> None:
    if given["annotations"] is not None:
        _annotate(dataset, given)
        return
    seconds, messages, output = given["seconds"], given["messages"], given["output"]
    if seconds is not None and messages is not None:
        raise click.UsageError("Give --seconds or --messages, not both.")
    if given["rate"] is not None and given["peak"] is not None:
        raise click.UsageError("Give --rate or --peak, not both.")
    if seconds is None and messages is None and output is not None:
        raise click.UsageError("A file needs an end: give --seconds or --messages.")
    from riotd import feeds  # noqa: PLC0415 - its tables take 60 ms that --help does not need

    rate = given["rate"]
    if given["peak"] is not None:
        rate = feeds.rate_of_peak(dataset, given["arrivals"], given["peak"])
    elif rate is None:
        rate = 90.0 if dataset == "city" else feeds.usual_rate(dataset, given["sensors"])
    wanted: dict[str, Any] = {key: value for key, value in given.items() if key not in _NOT_OF_FEEDS}
    if given["start"] is not None:
        wanted["start"] = given["start"]
    make: Callable[..., Iterator[tuple[float, bytes]]] = getattr(feeds, dataset)
    try:
        feed = make(**(wanted | {"rate": rate}))
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    header = feeds.SCHEMAS[dataset].header + b"\n" if given["form"] == "csv" else b""
    _write(feed, output, messages if seconds is None else round(seconds * rate), header)


def _annotate(dataset: Literal["city", "taxi", "fit", "grid"], given: _Given) -> None:
    if any(given[key] is not None for key in ("seconds", "messages", "output")):
        raise click.UsageError("--annotations FILE says what is known about the devices, and makes no packs.")
    from riotd import feeds  # noqa: PLC0415 - as in `_generate`

    try:
        lines = feeds.annotations(dataset, sensors=given["sensors"])
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    target = given["annotations"]
    with _opened(None if str(target) == "-" else target) as file:
        file.writelines(lines)


def _write(feed: Iterator[tuple[float, bytes]], output: Path | None, count: int | None, header: bytes) -> None:
    """Lines of the feed; after a header, which only rows have, without the time that the rows have in them."""
    began, done = time.monotonic(), 0
    shown = None if output else False  # what goes to the terminal itself needs no bar
    with _opened(output) as file, bar("Making packs", total=count, shown=shown) as progress:
        file.write(header)
        while made := list(islice(feed, _LINES)):
            lines = (
                [b"%b\n" % row for _, row in made]
                if header
                else [b"%d,%b\n" % (due * 1000, pack) for due, pack in made]
            )
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

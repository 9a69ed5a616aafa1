"""A run's figures in a file, for other programs."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from riotd.bounded.report import Latency, Report, ShardFigures
from riotd.errors import ConfigError, Mistake, TransportError

KINDS = (".json", ".csv")
_COUNTS = ("records", "results", "errors", "filtered", "throughput")
_QUANTILES = ("p50", "p95", "p99", "max")
_HEAD = (
    *("task", "input", "output", "engine", "shard"),
    *_COUNTS,
    *("seconds", "busy_s"),
    *(f"latency_{name}_ms" for name in _QUANTILES),
)


def check_metrics(path: Path | str) -> None:
    """See that the name of a file says what is to be written.

    Raises:
        ConfigError: it does not.
    """
    if Path(path).suffix.lower() not in KINDS:
        raise ConfigError([Mistake("metrics", f"{path} says no format", "write .json or .csv")])


def write_metrics(path: Path | str, reports: Sequence[Report]) -> None:
    """Write reports: as JSON one object for each input, in a list if there are several; as CSV rows.

    Of the rows, those of `shard` "all" are of a whole input, the others of one shard; times are in seconds, latencies
    in milliseconds.

    Raises:
        TransportError: the file can't be written.
    """
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            if Path(path).suffix.lower() == ".csv":
                csv.writer(file, lineterminator="\n").writerows([_HEAD, *_rows(reports)])
            else:
                plain = [report.plain() for report in reports]
                json.dump(plain[0] if len(plain) == 1 else plain, file, ensure_ascii=False, indent=1)
                file.write("\n")
    except OSError as error:
        raise TransportError(f"{path}: can't be written: {error.strerror}") from error


def _rows(reports: Sequence[Report]) -> Iterator[list[Any]]:
    for report in reports:
        about = [report.about.task, report.about.input, report.about.output, report.about.engine]
        busy = round(sum(shard.busy_s for shard in report.per_shard), 6)
        yield [*about, "all", *_counts(report), report.seconds, busy, *_latencies(report.latency_ms)]
        for shard in report.per_shard:
            yield [*about, shard.shard, *_counts(shard), report.seconds, shard.busy_s, *_latencies(shard.latency_ms)]


def _counts(figures: Report | ShardFigures) -> list[Any]:
    return [getattr(figures, name) for name in _COUNTS]


def _latencies(latency: Latency) -> list[float]:
    return [getattr(latency, name) for name in _QUANTILES]

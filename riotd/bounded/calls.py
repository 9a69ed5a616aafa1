"""Runs in one call each, on an engine of their own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from riot_tasks.record import Record
from riotd.bounded.naming import FlowLike
from riotd.bounded.pool import Pool
from riotd.bounded.report import Report
from riotd.bounded.scheduling import Watch
from riotd.bounded.streaming import Item
from riotd.messages import Reject


def run_file(  # noqa: PLR0913 - one for each thing a person may say
    task: FlowLike,
    source: Path | str,
    target: Path | str,
    *,
    params: Mapping[str, Any] | None = None,
    engine: str = "inline",
    shards: int = 1,
    key: str | None = None,
    form: str | None = None,
    schema: str | None = None,
    rejects: Path | str | None = None,
    metrics: Path | str | None = None,
    strict: bool = False,
    watch: Watch | None = None,
) -> Report:
    """Run the lines of a file through a task or a dataflow.

    Each device keeps its own state. Results are in the order of the lines; the file is there when it is complete, and
    a failure leaves none. What is refused is counted, and the rest goes on.

    Args:
        task: a name that `riotd tasks` lists, RIoTBench's code, `module:Class`, or the class itself; or the path of a
            configuration (`.yaml`), whose stages are run.
        source: a file, packed (.gz) or not, or a pipe; `-` is standard input.
        target: `.jsonl`, `.csv` or `.senml`, each also with `.gz`; `-` is JSON lines on standard output.
        params: of the task; for a configuration, dotted keys to override.
        engine: `inline`, `ray`, `beam` or `flink`.
        shards: parts the devices are divided into.
        key: the field that says which device a line is of; "bn" is SenML's whole base name. By default the device in
            the base name, or the entry `source`; of CSV and JSON the field source, device, id or sensor.
        form: `senml`, `riotbench` (`<epoch ms>,<SenML>`), `csv`, `json` or `raw`; by default as the first lines are.
        schema: path of a file with the columns of CSV, as `csv_to_senml` has it.
        rejects: path for refused lines, as JSON lines with reason and payload.
        metrics: path for the report, `.json` or `.csv`.
        strict: whether the first refused line ends it.
        watch: called now and then with how far it is.

    Returns:
        Counts, throughput and latencies, in all, by stage and by shard.

    Raises:
        ConfigError: before the first line: a wrong task, parameter, field, format or engine; lists all mistakes.
        InputRefused: a line was refused in a strict run.
        TransportError: a file can't be read or written.
        EngineError: the engine gave up.
    """
    with Pool(engine=engine, shards=shards) as pool:
        return pool.run_file(
            task,
            source,
            target,
            params=params,
            key=key,
            form=form,
            schema=schema,
            rejects=rejects,
            metrics=metrics,
            strict=strict,
            watch=watch,
        )


def run_batch(  # noqa: PLR0913 - as above
    task: FlowLike,
    sources: Iterable[Path | str],
    folder: Path | str,
    *,
    ending: str = ".jsonl",
    params: Mapping[str, Any] | None = None,
    engine: str = "inline",
    shards: int = 1,
    key: str | None = None,
    form: str | None = None,
    schema: str | None = None,
    rejects: Path | str | None = None,
    metrics: Path | str | None = None,
    strict: bool = False,
    watch: Watch | None = None,
) -> list[Report]:
    """Run many files, each from a fresh state into a file of its own; with `ray` as many at once as there are shards.

    A file that can't be read or written does not stop the others: its report says the `failure`.

    Args:
        task: as `run_file` has it, and so all that is not named here.
        sources: the files.
        folder: where the results go, under the names of the inputs; made if need be.
        ending: of their names: `.jsonl`, `.csv` or `.senml`.
        params: as above.
        engine: as above.
        shards: as above.
        key: as above.
        form: as above.
        schema: as above.
        rejects: as above; one file for all, each line with the path of its input.
        metrics: as above; a list, or rows for each file.
        strict: as above; ends all of them.
        watch: as above; for all of them together.

    Returns:
        A report for each file, in their order.

    Raises:
        ConfigError, InputRefused, EngineError: as `run_file`; also if two inputs would be written to one file.
    """
    with Pool(engine=engine, shards=shards) as pool:
        return pool.run_batch(
            task,
            sources,
            folder,
            ending=ending,
            params=params,
            key=key,
            form=form,
            schema=schema,
            rejects=rejects,
            metrics=metrics,
            strict=strict,
            watch=watch,
        )


def run_stream(  # noqa: PLR0913 - as above
    task: FlowLike,
    items: Iterable[Item],
    *,
    params: Mapping[str, Any] | None = None,
    engine: str = "inline",
    shards: int = 1,
    key: str | None = None,
    strict: bool = False,
    refused: Callable[[Reject], None] | None = None,
) -> Iterator[Record]:
    """Run items in memory through a task or a dataflow: an iterable in, an iterator out.

    Items are taken as results are asked for, a few hundred ahead at most, so that neither has to fit in memory and
    either may be without end; from an iterable that is slow each is taken by itself. (Not so Beam and Flink, which
    read all items before they give a result.) Closing the iterator, or letting it go, stops the engine.

    Args:
        task: as `run_file` has it.
        items: SenML packs as bytes or text, `riot_tasks.Record`s, or mappings: records as a run writes them, with
            their fields in `values`, or plain fields, of which source, device, id or sensor says who.
        params: of the task; for a configuration, dotted keys to override.
        engine: `inline`, `ray`, `beam` or `flink`.
        shards: parts the devices are divided into.
        key: the field that says who; by default the device, or the record's source.
        strict: whether the first refused item ends it.
        refused: told each refusal; by default the first few are logged.

    Yields:
        Results in the order of the items; `id` is the item's number, from 1.

    Raises:
        ConfigError: before the first item: a wrong task, parameter or engine.
        InputRefused: an item was refused in a strict run.
        EngineError: the engine gave up.
    """
    pool = Pool(engine=engine, shards=shards)
    records = pool.run_stream(task, items, params=params, key=key, strict=strict, refused=refused)

    def closing() -> Iterator[Record]:
        with pool:
            yield from records

    return closing()

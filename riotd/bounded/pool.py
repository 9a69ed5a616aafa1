"""Many runs on one engine: files, batches of files, streams."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from riot_tasks.record import Record
from riotd.bounded import streaming
from riotd.bounded.looking import Reading
from riotd.bounded.metrics import check_metrics, write_metrics
from riotd.bounded.naming import FlowLike, flow
from riotd.bounded.placing import place
from riotd.bounded.report import Report
from riotd.bounded.running import Run
from riotd.bounded.scheduling import Watch, look_at_all, run_all
from riotd.bounded.targets import check_targets, target_in
from riotd.errors import ConfigError, Mistake, TransportError
from riotd.messages import Reject


class Pool:
    """One engine for many runs, each of which begins with a fresh state; one run at a time.

    Args:
        engine: `inline`, `ray`, `beam` or `flink`; the first run starts it.
        shards: parts the keys are divided into, each with a worker; inline they take turns.
        address: of a running Ray cluster, `host:port` or `auto`; default a local one of our own.

    Example:
        >>> readings = [{"device": "a", "t": 1.0}, {"device": "b", "t": 5.0}, {"device": "a", "t": 3.0}]
        >>> with Pool(shards=2) as pool:
        ...     for record in pool.run_stream("average", readings, params={"window": 2}):
        ...         print(record.id, record.source, record.values)
        3 a {'t': 2.0}
        2 b {'t': 5.0}

    Raises:
        ConfigError: there is no such engine, or no such number of shards.
    """

    def __init__(self, *, engine: str = "inline", shards: int = 1, address: str | None = None) -> None:
        if not 1 <= shards <= 128:
            raise ConfigError([Mistake("shards", f"must be from 1 to 128 (is {shards})")])
        self.engine, self.shards, self.address = engine, shards, address
        self._place = place(engine, shards=shards, address=address)
        self._busy = False

    def __enter__(self) -> Self:
        """Nothing yet: the first run starts the engine."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the engine."""
        self.close()

    def close(self) -> None:
        """Stop the engine; safe to call twice."""
        self._place.close()

    def run_file(  # noqa: PLR0913 - one for each thing a person may say
        self,
        task: FlowLike,
        source: Path | str,
        target: Path | str,
        *,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        form: str | None = None,
        schema: str | None = None,
        rejects: Path | str | None = None,
        metrics: Path | str | None = None,
        strict: bool = False,
        watch: Watch | None = None,
    ) -> Report:
        """As `riotd.run_file`, on this pool."""
        run = Run(flow(task, params), source, target, reading=Reading(key, form, schema), strict=strict)
        report = self._reports([run], rejects=rejects, metrics=metrics, watch=watch)[0]
        if report.failure:
            raise TransportError(report.failure)
        return report

    def run_batch(  # noqa: PLR0913 - as above
        self,
        task: FlowLike,
        sources: Iterable[Path | str],
        folder: Path | str,
        *,
        ending: str = ".jsonl",
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        form: str | None = None,
        schema: str | None = None,
        rejects: Path | str | None = None,
        metrics: Path | str | None = None,
        strict: bool = False,
        watch: Watch | None = None,
    ) -> list[Report]:
        """As `riotd.run_batch`, on this pool."""
        flowing, reading, folder = flow(task, params), Reading(key, form, schema), Path(folder)
        runs = [
            Run(flowing, source, target_in(folder, source, ending), reading=reading, strict=strict)
            for source in sources
        ]
        return self._reports(runs, folder=folder, rejects=rejects, metrics=metrics, watch=watch)

    def run_stream(  # noqa: PLR0913 - as above
        self,
        task: FlowLike,
        items: Iterable[streaming.Item],
        *,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        strict: bool = False,
        refused: Callable[[Reject], None] | None = None,
    ) -> Iterator[Record]:
        """As `riotd.run_stream`, on this pool, which is busy until the iterator has ended or is closed."""
        plan = streaming.plan_of(flow(task, params))
        stream = streaming.Stream(items, key=key, strict=strict, refused=refused)

        def records() -> Iterator[Record]:
            with self._alone():
                self._place.prepare(plan)
                yield from stream.records(self._place, plan)

        return records()

    def _reports(
        self,
        runs: Sequence[Run],
        *,
        rejects: Path | str | None,
        metrics: Path | str | None,
        watch: Watch | None,
        folder: Path | None = None,
    ) -> list[Report]:
        if metrics is not None:
            check_metrics(metrics)
        check_targets(runs)
        look_at_all(runs, self._place)
        if folder is not None:
            _make(folder)
        with self._alone(), _opened(rejects) as letters:
            run_all(runs, self._place, rejects=letters, watch=watch)
        reports = [run.report for run in runs if run.report is not None]
        if metrics is not None:
            write_metrics(metrics, reports)
        return reports

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._busy:
            raise RuntimeError("the pool is busy with another run; end it, or close its iterator, first")
        self._busy = True
        try:
            yield
        finally:
            self._busy = False


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TransportError(f"{folder}: can't be made: {error.strerror}") from error


def _opened(path: Path | str | None) -> AbstractContextManager[IO[bytes] | None]:
    """The file for refused lines."""
    if path is None:
        return nullcontext()
    try:
        return Path(path).open("wb", buffering=0)
    except OSError as error:
        raise TransportError(f"{path}: can't be written: {error.strerror}") from error

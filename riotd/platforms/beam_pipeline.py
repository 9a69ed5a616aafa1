"""The pipeline itself; apart from `beam` so that Beam is imported only when it runs."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager

from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.platforms.spool import Slice, Spool
from riotd.platforms.work import Work


@contextmanager
def quiet() -> Iterator[None]:
    """Beam's log off, in this process, and the root logger as it was afterwards.

    Beam also logs through `logging.warning` and its like, which is the root logger's own voice, and which configures
    it if nobody else has.
    """
    root, nobody = logging.getLogger(), logging.NullHandler()
    beams = logging.getLogger("apache_beam")
    level = beams.level
    root.addHandler(nobody)
    root.addFilter(_nothing)  # only what is logged to the root logger itself passes it
    beams.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        beams.setLevel(level)
        root.removeFilter(_nothing)
        root.removeHandler(nobody)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


with quiet():
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

_RUNNER = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


class RunShard(beam.DoFn):
    """One shard's input in one element, and so in one bundle: a bundle that fails is done again from its beginning.

    That is why the shard is made for the element and not in `setup`, and why its state is not Beam's: between two
    elements there is none. The slices are sorted, since a GroupByKey promises no order.
    """

    def __init__(self, spool: Spool, plan: Plan) -> None:
        super().__init__()
        self._spool, self._plan = spool, plan

    def process(self, element: tuple[int, Iterable[Slice]]) -> Iterator[int]:
        """Run it; gives the shard's number."""
        shard, slices = element
        with closing(Work(self._spool, shard, self._plan)) as work:
            for piece in sorted(slices):
                work.do(Slice(*piece))
        yield shard


def execute(spool: Spool, plan: Plan, slices: Sequence[tuple[int, Slice]], options: Sequence[str]) -> None:
    """Run the pipeline to its end.

    Args:
        spool: holds the slices, and takes the outcomes.
        plan: what the shards run.
        slices: each with its shard, in any order.
        options: of the pipeline, as on a command line.

    Raises:
        EngineError: it failed; the message is the last line of Beam's, which names the cause.
    """
    try:
        with quiet(), beam.Pipeline(options=PipelineOptions([f"--runner={_RUNNER}", *options])) as pipeline:
            pipeline | beam.Create(slices) | beam.GroupByKey() | "RunShard" >> beam.ParDo(RunShard(spool, plan))
    except (ImportError, RuntimeError, ValueError) as error:
        raise EngineError(f"Beam: {str(error).strip().splitlines()[-1]}") from error

"""The pipeline itself; apart from `beam` so that Beam is imported only when it runs."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

from riotd.dataflow import Plan
from riotd.errors import EngineError
from riotd.platforms.quiet import quiet
from riotd.platforms.spool import Slice, Spool
from riotd.platforms.work import Work

with quiet("apache_beam"):
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

_RUNNER = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
"""Runs in this process, where Beam's default would first try to fetch a program from the network and start that."""


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
        with (
            quiet("apache_beam"),
            beam.Pipeline(options=PipelineOptions([_RUNNER, *options])) as pipeline,
        ):
            pipeline | beam.Create(slices) | beam.GroupByKey() | "RunShard" >> beam.ParDo(RunShard(spool, plan))
    except (ImportError, RuntimeError, ValueError) as error:
        if interrupt := _interrupt(error):
            raise interrupt from None
        raise EngineError(f"Beam: {str(error).strip().splitlines()[-1]}") from error


def _interrupt(error: BaseException | None) -> BaseException | None:
    """The Ctrl-C, or another end of the program, that Beam has made an error of its own of; None if it was none."""
    while isinstance(error, Exception):
        error = error.__cause__ or error.__context__
    return error

"""`riotd run-file`: a file through a task or a dataflow."""

from typing import Any

import click

from riotd.cli.bounded import EPILOG, Asked, flow_of, options, session, split
from riotd.cli.reports import show_report


@click.command("run-file", epilog=EPILOG)
@click.argument("words", nargs=-1, metavar="TASK INPUT")
@click.option("-o", "--output", required=True, metavar="OUT", help="Results; - is standard output.")
@options
def command(words: tuple[str, ...], output: str, **said: Any) -> None:  # noqa: ANN401 - one for each option
    """Run the lines of INPUT through TASK, or through the dataflow of -c CONFIG, and write what comes out.

    \b
    Examples:
      riotd run-file kalman_filter city.csv -o smooth.jsonl --set fields=[temperature]
      riotd run-file average city.csv.gz -o means.csv --set window=60 --engine ray --shards 2 -v
      riotd run-file -c config/minimal.yaml city.csv -o out.jsonl --rejects bad.jsonl --metrics run.json
    """  # noqa: D301 - click's mark for text not to be wrapped
    asked = Asked(**said)
    task, inputs = split(words, asked)
    if len(inputs) > 1:
        raise click.UsageError(f"There are {len(inputs)} INPUTs: run-batch takes more than one.")
    flow = flow_of(task, asked)
    with session(flow, asked, inputs) as (pool, watch):
        report = pool.run_file(
            flow,
            inputs[0],
            output,
            key=asked.key,
            form=asked.form,
            schema=asked.schema,
            rejects=asked.rejects,
            metrics=asked.metrics,
            strict=asked.strict,
            watch=watch,
        )
    show_report(report, asked, err=output == "-")

"""`riotd run-batch`: many files, each into a file of its own."""

import sys
from pathlib import Path
from typing import Any

import click

from riotd.cli.bounded import EPILOG, Asked, flow_of, options, session, split
from riotd.cli.reports import show_reports


@click.command("run-batch", epilog=EPILOG)
@click.argument("words", nargs=-1, metavar="TASK INPUT...")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="For results.",
)
@click.option(
    "--to", "kind", type=click.Choice(["jsonl", "csv", "senml"]), default="jsonl", show_default=True, help="Results as."
)
@options
def command(words: tuple[str, ...], output: Path, kind: str, **said: Any) -> None:  # noqa: ANN401 - one for each option
    """Run each INPUT through TASK, or through the dataflow of -c CONFIG, into a file of its name in DIR.

    Each file begins with a fresh state. With --engine ray as many files are run at once as there are shards. One that
    can't be read does not stop the others; the exit code is 1 in the end.

    \b
    Examples:
      riotd run-batch kalman_filter feeds/*.csv -o smooth --set fields=[temperature]
      riotd run-batch average feeds/*.csv.gz -o means --to csv --engine ray --shards 4
      riotd run-batch -c config/minimal.yaml monday.csv tuesday.csv -o out --metrics runs.csv
    """  # noqa: D301 - click's mark for text not to be wrapped
    asked = Asked(**said)
    task, inputs = split(words, asked)
    flow = flow_of(task, asked)
    with session(flow, asked, inputs) as (pool, watch):
        reports = pool.run_batch(
            flow,
            inputs,
            output,
            ending=f".{kind}",
            key=asked.key,
            form=asked.form,
            schema=asked.schema,
            rejects=asked.rejects,
            metrics=asked.metrics,
            strict=asked.strict,
            watch=watch,
        )
    show_reports(reports, asked)
    if any(report.failure for report in reports):
        sys.exit(1)

"""The table of verbs; each is imported when it is used, so that `riotd --help` is there at once."""

import sys
from difflib import get_close_matches
from importlib import import_module

import click

from riotd import __version__

VERBS = {
    "run": "Run the daemon on a configuration.",
    "status": "Show what a running daemon does, and whether its books are closed.",
    "scale": "Give a running daemon more shards, or fewer.",
    "check": "Name every mistake in a configuration, else show the plan.",
    "graph": "Draw a configuration's dataflow.",
    "tasks": "List the tasks, or describe one.",
    "try": "Run one task over lines of a file or of standard input.",
    "run-file": "Run a file through a task or a dataflow.",
    "run-batch": "Run many files, each into a file of its own.",
    "convert": "Turn a property file of RIoTBench into a configuration.",
    "generate": "Make realistic sensor data.",
    "replay": "Publish a recorded file in its own time, or faster.",
    "train": "Train a model on recorded history, its settings chosen by cross-validation.",
    "dlq": "List dead letters, look at one, send them again.",
    "journal": "Look into a journal, check it, repair it.",
    "bench": "Measure the tasks on this machine, beside RIoTBench's figures.",
    "drill": "Hurt a daemon, and see that nothing is lost.",
    "demo": "See it all work: broker, feed and daemon on this machine.",
}
"""Verb to what it does, in the order of the help. `riotd.cli.<verb>` has it as a click command named `command`."""

EXIT_CONFIG = 78
"""EX_CONFIG of sysexits.h; the unit has it in RestartPreventExitStatus."""

EPILOG = """\b
First steps:
  riotd demo                             watch a whole pipeline for a minute
  riotd check config/minimal.yaml        what would run, and every mistake
  riotd run config/minimal.yaml          run it

\b
Exit codes: 0 done, 1 failed or forced, 2 wrong usage, 78 wrong configuration."""


class LazyGroup(click.Group):
    """Verbs by the table; a wrong configuration in any of them is its lines and exit 78."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every verb, in the table's order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, imported now; a usage error with a suggestion if there is none."""
        if cmd_name not in VERBS:
            close = get_close_matches(cmd_name, VERBS, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are {', '.join(VERBS)}."
            raise click.UsageError(f"No such command {cmd_name!r}. {hint}", ctx)
        command = import_module(f"riotd.cli.{_module(cmd_name)}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"riotd.cli.{_module(cmd_name)}.command is not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the verbs from the table instead of importing each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; a ConfigError becomes its lines on stderr and exit 78."""
        from riotd.errors import ConfigError  # noqa: PLC0415 - not needed for the help

        try:
            return super().invoke(ctx)
        except ConfigError as error:
            click.echo(str(error), err=True)
            ctx.exit(EXIT_CONFIG)


def _module(verb: str) -> str:
    return "try_" if verb == "try" else verb.replace("-", "_")


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="riotd", message=f"%(prog)s %(version)s, Python {sys.version.split()[0]}")
def riotd() -> None:
    """Run stateful tasks over live sensor feeds: MQTT or files in, results, statistics and control out."""

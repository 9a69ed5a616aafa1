"""Anything into everything: `python -m tests.fuzz --target senml --seconds 600`."""

import logging
import sys
from time import monotonic
from typing import IO

import click
from rich.progress import Progress

from tests.fuzz.fuzzing import Fuzzing
from tests.fuzz.targets import TARGETS


@click.command()
@click.option("--target", "names", multiple=True, type=click.Choice(sorted(TARGETS)), help="Which; default all.")
@click.option("--seconds", default=60.0, show_default=True, help="For how long, each.")
@click.option("--seed", default=0, show_default=True, help="The same gives the same inputs in the same order.")
@click.option("--try", "tried", type=click.File("rb"), help="Try this file's content once, and nothing else.")
def main(names: tuple[str, ...], seconds: float, seed: int, tried: IO[bytes] | None) -> None:
    """Feed targets with what comes of inputs that are right; exit 1 if one fails otherwise than it may.

    Example: python -m tests.fuzz --target senml --seconds 600
    """
    logging.disable()
    failed = False
    for name in names or TARGETS:
        if tried is not None:
            print(TARGETS[name].run(tried.read()))  # noqa: T201 - a program that prints
            return
        fuzzing = Fuzzing(TARGETS[name], seed=seed)
        _run(name, fuzzing, seconds)
        print(f"{name}: {fuzzing.said()}", flush=True)  # noqa: T201 - as above
        failed = failed or bool(fuzzing.failures)
    sys.exit(failed)


def _run(name: str, fuzzing: Fuzzing, seconds: float) -> None:
    begun = monotonic()
    with Progress(disable=not sys.stdout.isatty()) as progress:
        bar = progress.add_task(name, total=seconds)
        while (spent := monotonic() - begun) < seconds:
            fuzzing.step(200)
            progress.update(bar, completed=spent)


if __name__ == "__main__":
    main()

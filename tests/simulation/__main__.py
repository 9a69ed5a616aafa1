"""Worlds by the thousand: `python -m tests.simulation --seeds 10000`, one again with `--seed 17`."""

import logging
import math
import sys
import traceback
from time import monotonic

import click
from rich.progress import Progress

from tests.simulation.world import run


@click.command()
@click.option("--seeds", default=1000, show_default=True, help="How many worlds.")
@click.option("--first", default=0, show_default=True, help="The first one's seed.")
@click.option("--seconds", default=0.0, help="Stop after so many, however many worlds are left; 0 for never.")
@click.option("--seed", type=int, help="Only this one, with what happened in it.")
def main(seeds: int, first: int, seconds: float, seed: int | None) -> None:
    """Simulate worlds; exit 1 if one breaks a promise.

    Example: python -m tests.simulation --seeds 10000
    """
    if seed is not None:
        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO, stream=sys.stdout)
        figures, trace = run(seed)
        print("\n".join(trace), figures, sep="\n")  # noqa: T201 - a program that prints
        return
    logging.getLogger("riotd").setLevel(logging.CRITICAL)
    failing = _many(range(first, first + seeds), seconds or math.inf)
    sys.exit(1 if failing else 0)


def _many(seeds: range, seconds: float) -> list[int]:
    failing: list[int] = []
    worlds = messages = lives = doubled = 0
    begun = monotonic()
    with Progress(disable=not sys.stdout.isatty()) as progress:
        for seed in progress.track(seeds, description="worlds"):
            if monotonic() - begun > seconds:
                break
            worlds += 1
            try:
                figures, _ = run(seed)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this seed's
                failing.append(seed)
                progress.print(f"seed {seed}: {''.join(traceback.format_exception_only(error))[:400]}", markup=False)
            else:
                messages, lives = messages + figures.messages, lives + figures.lives
                doubled = max(doubled, figures.doubled)
    print(  # noqa: T201 - a program that prints
        f"{worlds} worlds, {lives} lives, {messages} messages, at most {doubled} doubled by one end, "
        f"{len(failing)} worlds failed{': seeds ' + ', '.join(map(str, failing)) if failing else ''}"
    )
    return failing


if __name__ == "__main__":
    main()

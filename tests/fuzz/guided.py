"""The same targets, guided by which branches an input takes: `python -m tests.fuzz.guided senml --seconds 600`.

Needs atheris, which is not among the project's dependencies: `uv pip install atheris`, in an environment of its own.
"""

import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click


@click.command()
@click.argument("name")
@click.option("--seconds", default=60, show_default=True, help="For how long.")
def main(name: str, seconds: int) -> None:
    """Feed the target NAME; what fails is told, and left in a file `crash-…` here, for `python -m tests.fuzz --try`.

    Example: python -m tests.fuzz.guided senml --seconds 600
    """
    import atheris  # noqa: PLC0415 - only here is it needed

    logging.disable()
    with atheris.instrument_imports(include=["riotd", "riot_tasks"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - what is imported here is watched

    target = TARGETS[name]
    with TemporaryDirectory() as folder:
        for number, data in enumerate(target.corpus):
            (Path(folder) / f"{number}").write_bytes(data)
        limits = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-max_len=4096", "-timeout=20"]
        atheris.Setup([sys.argv[0], *limits, folder], lambda data: target.run(data) and None)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

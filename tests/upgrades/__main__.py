"""Writes a state folder for the tests of later riotds: `python -m tests.upgrades tests/data/state-2`."""

import asyncio
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from riotd import __version__
from riotd.testing import PAUSE
from tests.upgrades.flow import Life, feed, killed, plan

_SNAPSHOT, _SETTLED, _TAKEN, _ALL = 90, 120, 130, 200
"""Messages that are in the snapshot, whose results are with the sink, that were taken in, that there are."""
_LEFT = {"lock", "doing"}
"""Files of the folder that are a life's own."""


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
def main(target: Path) -> None:
    """Write a state folder of this version to TARGET, which must not exist.

    Example: python -m tests.upgrades tests/data/state-2
    """
    target.mkdir(parents=True)
    messages = feed(_ALL)
    with TemporaryDirectory() as folder:
        asyncio.run(_lived(Path(folder)))
        for path in sorted(Path(folder).iterdir()):
            if path.name not in _LEFT:
                shutil.copy(path, target)
    about = {"riotd": __version__, "plan": plan(), "taken": _TAKEN, "settled": _SETTLED}
    (target / "about.json").write_bytes(msgspec.json.format(msgspec.json.encode(about)))
    rows = [msgspec.json.encode((each.origin, each.topic, each.payload.decode())) for each in messages]
    (target / "feed.jsonl").write_bytes(b"\n".join(rows) + b"\n")
    click.echo(f"{target}: {sum(path.stat().st_size for path in target.iterdir())} bytes")


async def _lived(folder: Path) -> None:
    """A life that is killed with a snapshot behind it, results since, and messages nobody has heard of yet."""
    messages = feed(_ALL)
    parts = [messages[:_SNAPSHOT], messages[_SNAPSHOT:_SETTLED], messages[_SETTLED:_TAKEN]]
    life = Life(plan(), [*parts[0], PAUSE, *parts[1], PAUSE, *parts[2], PAUSE], folder, shards=2)
    living = asyncio.create_task(life.live())
    await life.settled()
    await life.save()
    life.given.resume()
    await life.settled()
    life.sink.stall()
    life.given.resume()
    await life.given.paused()
    await killed(living)


if __name__ == "__main__":
    main()

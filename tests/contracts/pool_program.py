"""A program with a local Ray of its own: prints what there is, one JSON line a step; commands come on stdin."""

import asyncio
import json
import logging
import os
import signal
import sys

import psutil
import uvloop

from riotd.engines.ray_actors import RayEngine
from riotd.messages import Outcome, Portion
from tests.contracts.feeds import chain, direct, feed, plain


def say(**what: object) -> None:
    """One step's findings."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def children() -> list[psutil.Process]:
    """All processes below this one."""
    return psutil.Process().children(recursive=True)


def told_before(portions: list[Portion]) -> list[Outcome]:
    """What a shard makes of these behind the portions that it got while we waited for the spare."""
    return direct(chain(), [*[feed(1)[0]] * BEFORE[0], *portions])[BEFORE[0] :]


BEFORE = [0]
"""How many of the first portion shard 1 has had."""


async def main() -> None:
    """Start the engine, then do what stdin says."""
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, lambda: None)
    handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    engine = RayEngine(chain(), shards=2, patience=15.0)
    async with engine:
        await engine.submit(0, feed(1)[0])
        while sum(process.name().startswith("ray::Worker") for process in children()) < 3:
            await engine.submit(1, feed(1)[0])  # until the spare is there
            BEFORE[0] += 1
        listening = {
            connection.laddr.ip.removeprefix("::ffff:")
            for process in [psutil.Process(), *children()]
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        say(
            children={process.pid: process.name() for process in children()},
            listening=sorted(listening),
            handlers_kept=handlers == [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)],
            token=os.environ["RAY_AUTH_TOKEN_PATH"],
        )
        if (await loop.run_in_executor(None, sys.stdin.readline)).strip() == "lose the raylet":
            portions = feed(40)
            flights = [engine.submit(1, each) for each in portions[:20]]
            next(process for process in children() if process.name() == "raylet").kill()
            while not engine.counters()["rebuilt"]:
                await engine.submit(0, feed(1)[0])
            flights += [engine.submit(1, each) for each in portions[20:]]
            outcomes = [plain(await each) for each in flights]
            say(right=outcomes == told_before(portions), rebuilt=engine.counters()["rebuilt"])
        else:
            await asyncio.gather(*(engine.submit(shard, feed(1)[0]) for shard in range(2)))
            say(**engine.counters())
        begun = loop.time()
    say(
        children=[process.pid for process in children()],
        seconds=loop.time() - begun,
        environment=sorted({name for name in os.environ if name.startswith("RAY_")} - {"RAY_CLIENT_MODE"}),  # Ray's own
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    uvloop.run(main())

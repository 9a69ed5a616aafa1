"""A message that takes the daemon with it, whatever it does: found over restarts, and its neighbours never notice."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemon import Daemon, Listener, feed, heard, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
Config = dict[str, Any]

MESSAGES, DEVICES, AT = 60, 3, 31
LIVES = 8
"""Starts that finding it may take: three deaths in company, two alone, and those with a little progress before."""


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param(("tests.contracts.engine_tasks:Deadly", b"kill"), id="kills"),
        pytest.param(("tests.contracts.costly_tasks:Costly", b"hang"), id="hangs"),
    ],
)
async def test_is_found_and_refused(
    broker: Broker, config: Config, make_daemon: Make, tmp_path: Path, poison: tuple[str, bytes]
) -> None:
    """Started again after each death, the daemon refuses the one message; all counts are as if it had never come."""
    task, word = poison
    config["engine"] = {"type": "inline", "deadline": "400ms"}
    config["stages"].insert(0, {"id": "guard", "task": task})
    messages = feed(MESSAGES, devices=DEVICES)
    messages.insert(AT, ("in/dev1", word))
    async with Listener(broker.port, "out/#") as listener:
        publishing: asyncio.Task[None] | None = None
        deaths = 0
        while True:
            async with make_daemon(config) as daemon:
                publishing = publishing or asyncio.create_task(publish(broker.port, messages))
                ended = asyncio.create_task(daemon.exit())
                done = asyncio.create_task(listener.until(lambda all_heard: _each(all_heard) == MESSAGES))
                await asyncio.wait({ended, done}, return_when=asyncio.FIRST_COMPLETED)
                if done.done():
                    assert await daemon.stop() == 0
                    break
                done.cancel()
                deaths += 1
                assert deaths < LIVES, daemon.log
        await publishing
    letters = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [(each["stage"], each["topic"], each["payload"]) for each in letters] == [
        ("daemon", "in/dev1", word.decode())
    ]
    assert letters[0]["reason"] == "killed the daemon again and again, the last 2 times alone"
    for device, numbers in heard(listener).messages.items():
        pairs = sorted(set(zip(numbers, heard(listener).numbers[device], strict=True)))
        assert pairs == [(int(device[3:]) + DEVICES * index, index + 1) for index in range(MESSAGES // DEVICES)]


def _each(all_heard: list[tuple[str, bytes]]) -> int:
    """How many results there are, those that came twice counted once."""
    return len({payload for _, payload in all_heard})

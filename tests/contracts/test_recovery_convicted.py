"""Whom the engine has found guilty once is not tried again after a restart."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from riotd.engines.inline import InlineEngine
from riotd.messages import ENGINE, Message, Outcome, Portion, Reject
from riotd.testing import PAUSE, ListSink, ListSource
from tests.contracts.test_recovery import Life, feed

POISON = b"poison=1"


class Condemning(InlineEngine):
    """Refuses a portion with the poison as an engine does whose worker died of it; such portions have one message."""

    tried = 0

    def submit(self, shard: int, portion: Portion) -> asyncio.Future[Outcome]:
        """As `InlineEngine.submit`, but for the poison."""
        if POISON not in portion.payloads:
            return super().submit(shard, portion)
        Condemning.tried += 1
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        answer.set_result(Outcome(portion.batch, [], [Reject(ENGINE, portion.ids[0], "killed its worker")], []))
        return answer


async def life(messages: Sequence[Message], folder: Path) -> Life:
    """A life over these that is killed without a snapshot."""
    source = ListSource([*messages, PAUSE], at_once=1)
    life = Life(source, ListSink(), folder, shards=1, every=100)
    life.engine = Condemning(life.plan, shards=1)
    await life.keeper.open()
    living = asyncio.create_task(life.live())
    await source.paused()
    while life.pump.ledger.settled < life.pump.ledger.received or life.pump.ledger.received < len(messages):  # noqa: ASYNC110 - only a test asks
        await asyncio.sleep(0)
    living.cancel()
    await asyncio.wait({living})
    await life.die()
    return life


async def test_the_next_life_refuses_it_unseen(tmp_path: Path) -> None:
    """A message that was refused by the engine is not given to it again, and its neighbours are done as before."""
    Condemning.tried = 0
    messages = [*feed(5), Message("dev1", POISON, 0.0), *feed(5, seed=2)]
    first = await life(messages, tmp_path)
    assert (Condemning.tried, len(first.rejects.letters)) == (1, 1)
    second = await life(feed(3, seed=3), tmp_path)
    assert Condemning.tried == 1
    assert second.pump.ledger.settled == len(messages) + 3
    assert second.rejects.letters == []  # it is where it was sent by the first

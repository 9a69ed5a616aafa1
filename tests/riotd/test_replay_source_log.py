"""The log of a replay: which message was sent when, under which number."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import orjson
import pytest

from riotd.dataflow import Outlet, Plan, Stage
from riotd.errors import TransportError
from riotd.messages import Portion
from riotd.replay import Numbered, Pair, SourceLog, first_id
from riotd.shard import Shard


class Sent:
    """An outbox that keeps what it gets."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []

    async def send_all(self, pairs: Sequence[Pair], *, qos: int = 0) -> int:
        """Keep them; one of each call can never be sent."""
        del qos
        self.pairs += pairs
        return 1


def _log(outbox: Sent, path: Path) -> SourceLog:
    seconds = count(1422748800.9999)
    return SourceLog(outbox, path, component="replay", first=1_007_000_000_003, wall=lambda: next(seconds))


async def test_each_message_has_a_line(tmp_path: Path) -> None:
    """Lines are numbered on from the first id, have the time before sending in whole milliseconds, and the topic."""
    outbox, path = Sent(), tmp_path / "source.log"
    pairs = [(f"city/raw/dev{number}/senml", b"x") for number in range(3)]
    async with _log(outbox, path) as log:
        assert [await log.send_all(pairs[:2]), await log.send_all(pairs[2:])] == [1, 1]
    lines = [line.split(",") for line in path.read_text().splitlines()]
    assert [line[2:] for line in lines] == [
        ["replay", "1422748800999", "MSGID", "1007000000003", "city/raw/dev0/senml"],
        ["replay", "1422748800999", "MSGID", "1007000000004", "city/raw/dev1/senml"],
        ["replay", "1422748801999", "MSGID", "1007000000005", "city/raw/dev2/senml"],
    ]
    assert outbox.pairs == pairs


async def test_no_line_is_lost_however_many(tmp_path: Path) -> None:
    """Of 5,000 messages, which are more than are gathered at a time, each has its line, the last one too."""
    path = tmp_path / "source.log"
    async with _log(Sent(), path) as log:
        for _ in range(50):
            await log.send_all([("t", b"")] * 100)
    ids = [int(line.split(",")[5]) for line in path.read_text().splitlines()]
    assert ids == list(range(1_007_000_000_003, 1_007_000_005_003))


async def test_a_log_that_can_not_be_written_is_an_error_of_the_outside(tmp_path: Path) -> None:
    """A folder that is not there is said with the path."""
    with pytest.raises(TransportError, match=r"nowhere/source.log can't be written: No such file"):
        async with _log(Sent(), tmp_path / "nowhere/source.log"):
            pytest.fail("it was opened")


def test_ids_begin_where_riotbench_s_do() -> None:
    """10^12, a random multiple of 10^9 below 10^12, and a random digit, so that two replays hardly share any."""
    ids = [first_id() for _ in range(200)]
    assert all(10**12 <= each < 2 * 10**12 and each % 10**9 < 10 for each in ids)
    assert len(set(ids)) > 100


@pytest.mark.parametrize(
    "form", ['[{{"bn":"dev7:","n":"t","v":{0}}}]', '{{"e":[{{"n":"t","v":{0}}}],"bt":1422748800000}}']
)
async def test_a_result_can_be_followed_back_to_its_message(tmp_path: Path, form: str) -> None:
    """With both, a result has the number under which the log has the message that triggered it, whatever its form."""
    sent, path = Sent(), tmp_path / "source.log"
    async with _log(sent, path) as log:
        outbox = Numbered(log, field="msgid", first=1_007_000_000_003)
        await outbox.send_all([(f"topic/{number}", form.format(number).encode()) for number in range(4)])
        await outbox.send_all([("topic/4", form.format(4).encode()), ("topic/5", form.format(5).encode())])
    stages = (
        Stage("parse", "senml_parse", {"meta": ["msgid"]}),
        Stage("mean", "average", {"window": 3}, ("parse",)),
        Stage("smooth", "kalman_filter", {}, ("mean",)),
    )
    shard = Shard(Plan(stages, (Outlet("out", ("smooth",), "json"),)))
    outcome = shard.run(Portion(0, 0.0, list(range(6)), ["dev7"] * 6, [pack for _, pack in sent.pairs]))
    topics = dict(line.split(",")[5:] for line in path.read_text().splitlines())
    numbers = [orjson.loads(result.payload)["meta"]["msgid"] for result in outcome.results]
    assert [topics[number] for number in numbers] == ["topic/2", "topic/5"]


@pytest.mark.parametrize("payload", [b"", b"{]", b"5", b'{"e":5}', b"\xff"])
async def test_what_is_no_pack_is_replayed_as_it_is(payload: bytes) -> None:
    """A damaged pack has its number in the log only."""
    sent = Sent()
    await Numbered(sent, field="msgid", first=1).send_all([("t", payload)])
    assert sent.pairs == [("t", payload)]

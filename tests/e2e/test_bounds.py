"""What the daemon holds when something is in its way, and what it does then: wait, and lose nothing."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.daemon import Daemon, Listener, heard, pack, pipeline, publish
from tests.riotd.brokers import Broker

MESSAGES, DEVICES = 2400, 8
PADDING = b'},{"n":"note","vs":"%s"}]' % (b"x" * 30_000)
"""Together 72 MB, half as much again as all the daemon may hold."""
MEMORY = 48 * 2**20
STEADY = 12
"""Reports in a row of the same number of messages taken in, after which nothing is taken in any more."""

Make = Callable[..., Daemon]


def large(count: int) -> list[tuple[str, bytes]]:
    """Messages of 30 kB, of the devices in turn."""
    return [(f"in/dev{number % DEVICES}", pack(number).removesuffix(b"}]") + PADDING) for number in range(count)]


def reports(listener: Listener) -> list[dict[str, Any]]:
    """The statistics among what was heard."""
    return [json.loads(payload) for topic, payload in listener.heard if topic.endswith("/stats")]


def at_rest(listener: Listener) -> Callable[[Sequence[object]], bool]:
    """Whether messages were taken in, and no more are."""

    def rests(_: Sequence[object]) -> bool:
        received = [report["messages"]["received"] for report in reports(listener)[-STEADY:]]
        return len(received) == STEADY and 0 < received[0] == received[-1] < MESSAGES

    return rests


@pytest.mark.parametrize("state", [{}, {"quota": "4MiB", "every": "1s"}], ids=["memory", "quota"])
async def test_a_sink_that_stands_still_costs_no_more_than_the_budget(
    state: dict[str, str], make_broker: Callable[..., Broker], make_daemon: Make, tmp_path: Path
) -> None:
    """With the results' broker frozen the intake stops within `memory`, keep-alive goes on, then all comes through."""
    broker, other = make_broker(), make_broker()
    broker.start()
    other.start()
    config = pipeline(broker.port, tmp_path)
    config["source"] |= {"protocol": "5", "keepalive": "1s", "max_packet": "1MiB"}
    config["sinks"]["results"]["connection"] = {"url": other.url, "keepalive": "20s"}
    config |= {"memory": MEMORY, "state": state}
    config["stats"]["every"] = "200ms"
    async with (
        make_daemon(config) as daemon,
        Listener(broker.port, "riotd/test/stats") as stats,
        Listener(other.port, "out/#") as results,
    ):
        await stats.count(1)
        other.freeze()
        await publish(broker.port, large(MESSAGES))
        await stats.until(at_rest(stats), within=60)
        other.thaw()
        await results.count(MESSAGES, within=60)
        assert await daemon.stop() == 0
    memory = [report["memory"] for report in reports(stats)]
    assert max(each["used"] for each in memory) <= MEMORY
    assert max(each["resident"] for each in memory) - memory[0]["resident"] <= MEMORY
    assert heard(results).messages == {
        f"dev{device}": list(range(device, MESSAGES, DEVICES)) for device in range(DEVICES)
    }
    assert "riotd-test-in has exceeded timeout" not in broker.log
    assert reports(stats)[-1]["source"]["losses"] == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own of 8 MiB; skipped where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def test_a_full_disk_is_waited_for(
    small_disk: Path, make_broker: Callable[..., Broker], make_daemon: Make, tmp_path: Path
) -> None:
    """With the journal's disk full no more is taken in, keep-alive goes on, and with more room all comes through."""
    broker = make_broker()
    broker.start()
    config = pipeline(broker.port, tmp_path)
    config["source"] |= {"protocol": "5", "keepalive": "1s", "max_packet": "1MiB"}
    config |= {"memory": MEMORY, "state": {"path": str(small_disk / "state")}}
    config["stats"]["every"] = "200ms"
    count = MESSAGES // 4  # 18 MB
    async with (
        make_daemon(config) as daemon,
        Listener(broker.port, "riotd/test/stats") as stats,
        Listener(broker.port, "out/#") as results,
    ):
        await publish(broker.port, large(count))
        await daemon.logged("the disk is full; taking in nothing")
        await stats.until(at_rest(stats), within=60)
        await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=64m", small_disk], check=True)
        await results.count(count, within=60)
        assert await daemon.stop() == 0
    assert heard(results).messages == {f"dev{device}": list(range(device, count, DEVICES)) for device in range(DEVICES)}
    assert max(report["memory"]["used"] for report in reports(stats)) <= MEMORY
    assert reports(stats)[-1]["source"]["losses"] == 0

"""riotd scale under load: nothing lost, nothing doubled, order per device kept, and no device held up for long."""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import aiomqtt
import pytest

from tests.e2e.daemon import REPOSITORY, Daemon, Listener, feed, heard, pack, publish
from tests.riotd.brokers import Broker

Make = Callable[..., Daemon]
Config = dict[str, Any]

ROUNDS = int(os.environ.get("RIOTD_SCALE_ROUNDS", "1"))
"""For long runs by hand: RIOTD_SCALE_ROUNDS=100."""
DEVICES = 50
GAP_MS = float(os.environ.get("RIOTD_SCALE_GAP", "1000"))
"""At most, of any key-group, on a machine that is busy with other tests; RIOTD_SCALE_GAP=100 on one that is not."""
log = logging.getLogger(__name__)


async def scale(daemon: Daemon, *words: object) -> tuple[int, str]:
    """`riotd scale` as a person types it: exit code, and what it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "riotd", "scale", str(daemon.file), "--app-dir", str(REPOSITORY), *map(str, words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        cwd=daemon.folder,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def feed_until(port: int, done: asyncio.Event) -> int:
    """Publish, each message once the one before is acknowledged, until it is done; how many there were."""
    count = 0
    async with aiomqtt.Client("127.0.0.1", port) as client:
        while not done.is_set() or count % DEVICES:
            device = f"in/dev{count % DEVICES}"
            await client.publish(device, pack(count), qos=1)
            count += 1
    return count


async def scaled(daemon: Daemon, steps: Sequence[int]) -> list[dict[str, Any]]:
    """What came of each of these changes, one after the other."""
    reports = []
    for shards in steps:
        code, said = await scale(daemon, shards, "--json")
        assert code == 0, said
        reports.append(json.loads(said))
    return reports


def whole(listener: Listener, count: int) -> None:
    """Every message once, in the order of its device, counted without a gap."""
    results = heard(listener)
    for device, messages in results.messages.items():
        first = int(device[3:])
        assert messages == list(range(first, count, DEVICES)), device
        assert results.numbers[device] == list(range(1, len(messages) + 1)), device
    assert len(results.messages) == DEVICES


@pytest.fixture
def steady(config: Config) -> Config:
    """Two shards, state kept, snapshots while it goes on."""
    config["engine"] = {"type": "inline", "shards": 2}
    config["state"] = {"every": "200ms"}
    return config


class TestScaling:
    @pytest.mark.parametrize("engine", ["inline", pytest.param("ray", marks=pytest.mark.ray)])
    async def test_under_load_loses_doubles_and_reorders_nothing(
        self, broker: Broker, steady: Config, make_daemon: Make, engine: str
    ) -> None:
        """More, down to one, more: at QoS 1 each message arrives once, in order, with the state of one thread."""
        steady["engine"]["type"] = engine
        async with Listener(broker.port, "out/#") as listener, make_daemon(steady) as daemon:
            done = asyncio.Event()
            sending = asyncio.create_task(feed_until(broker.port, done))
            await listener.count(DEVICES)
            reports = await scaled(daemon, ([4, 1, 3] if engine == "inline" else [3, 1]) * ROUNDS)
            done.set()
            count = await sending
            await listener.count(count, within=60)
            assert await daemon.stop() == 0
        whole(listener, count)
        moved = [report["moved"] for report in reports]
        assert moved == [report["moves"] for report in reports]
        assert moved[:2] == ([64, 96] if engine == "inline" else [42, 85])
        longest = max(report["longest_gap_ms"] for report in reports)
        log.info("%s: %d messages, the longest of %d gaps was %.1f ms", engine, count, sum(moved), longest)
        log.info("%s", reports)
        assert longest < GAP_MS

    async def test_goes_on_after_a_restart(self, broker: Broker, steady: Config, make_daemon: Make) -> None:
        """Killed in the midst of a change and started again, nothing is amiss; a number that was reached is kept."""
        count = 1000
        async with Listener(broker.port, "out/#") as listener:
            async with make_daemon(steady) as first:
                await publish(broker.port, feed(count // 2, devices=DEVICES))
                await listener.count(count // 2)
                await scaled(first, [5])
                changing = asyncio.create_task(scale(first, 2))
                await publish(broker.port, feed(count, devices=DEVICES)[count // 2 : count // 2 + 100])
                first.kill()
                await changing
            async with make_daemon(steady) as second:
                await publish(broker.port, feed(count, devices=DEVICES)[count // 2 + 100 :])
                await listener.until(lambda said: len({payload for _, payload in said}) >= count)
                code, said = await scale(second)
                assert (code, said) in {(0, f"test: {number} shards\n") for number in (5, 2)}
                assert await second.stop() == 0
        results = heard(listener)
        for device, messages in results.messages.items():
            pairs = sorted(set(zip(messages, results.numbers[device], strict=True)))
            assert pairs == [(int(device[3:]) + DEVICES * at, at + 1) for at in range(count // DEVICES)]

    async def test_with_a_stop_and_a_reload_amid(self, broker: Broker, steady: Config, make_daemon: Make) -> None:
        """SIGHUP and SIGTERM while key-groups move: the new config holds, the drain is whole, exit 0."""
        async with Listener(broker.port, "out/#") as listener, make_daemon(steady) as daemon:
            await publish(broker.port, feed(1000, devices=DEVICES))
            changing = asyncio.create_task(scale(daemon, 64))
            steady["batch"] = {"max_records": 50}
            daemon.write(steady)
            daemon.signal(signal.SIGHUP)
            await daemon.logged("reloaded: ")
            assert (await changing)[0] == 0
            changing = asyncio.create_task(scale(daemon, 1))
            assert await daemon.stop() == 0
            await changing
        whole(listener, 1000)


class TestOverMqtt:
    async def test_commands_and_answers(self, broker: Broker, steady: Config, make_daemon: Make) -> None:
        """control: {mqtt: write} takes control/scale and says on control/result what it does and when it is done."""
        steady["control"] = {"mqtt": "write"}
        base = "riotd/test/control"
        commands = [
            (f"{base}/scale", b'{"shards": "many"}'),
            (f"{base}/scale", b'{"shards": 500}'),
            (f"{base}/scale", b"[3"),
            (f"{base}/sclae", b""),
            (f"{base}/scale", b'{"shards": 3, "id": "mine"}'),
        ]
        async with Listener(broker.port, f"{base}/result") as listener, make_daemon(steady):
            await publish(broker.port, commands)
            await listener.count(6)
            await publish(broker.port, [(f"{base}/status", b"")])
            await listener.count(7)
        answers = [json.loads(payload) for _, payload in listener.heard]
        assert (answers[4]["id"], answers[4]["answer"]["to"]) == ("mine", 3)
        done = [answer for answer in answers if answer.get("answer", {}).get("phase") == "done"]
        assert [(report["answer"]["from"], report["answer"]["moved"]) for report in done] == [(2, 42)]
        errors = [answer["error"] for answer in answers if "error" in answer]
        assert [error.partition(":")[0] for error in errors] == [
            "shards",
            "shards",
            "a request is a JSON object",
            "there is no 'sclae' here",
        ]
        assert [shard["groups"] for shard in answers[-1]["answer"]["report"]["shards"]] == [43, 43, 42]

    async def test_read_only_refuses_commands(self, broker: Broker, steady: Config, make_daemon: Make) -> None:
        """control: {mqtt: read} answers questions, and says how commands would be taken."""
        steady["control"] = {"mqtt": "read"}
        async with Listener(broker.port, "riotd/test/control/result") as listener, make_daemon(steady):
            await publish(broker.port, [("riotd/test/control/scale", b'{"shards": 3}')])
            await publish(broker.port, [("riotd/test/control/scaling", b"")])
            await listener.count(2)
        refused, told = [json.loads(payload) for _, payload in listener.heard]
        assert refused["error"].endswith("; commands are taken with control: {mqtt: write}")
        assert told["answer"] == {"to": 2}

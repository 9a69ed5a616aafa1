"""`riotd replay` as a person or a script runs it: exit codes, summary, signals."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import aiomqtt
import pytest

from riotd.feeds import city
from tests.riotd.brokers import Broker, free_port


async def _start(*arguments: str, feed: bool = False) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "riotd", "replay", *arguments, stdout=pipe, stderr=pipe, stdin=pipe if feed else None
    )


async def _run(*arguments: str) -> tuple[int | None, str, str]:
    process = await _start(*arguments)
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """300 packs in 3 seconds, a header and a line that is no message."""
    path = tmp_path / "feed.csv"
    lines = [b"%d,%b\n" % (due * 1000, pack) for due, pack in city(rate=100, messages=300)]
    path.write_bytes(b"time,pack\n" + b"".join(lines) + b"?\n")
    return path


async def test_a_file_is_replayed_in_its_time_times_the_speed(broker: Broker, feed: Path) -> None:
    """Three seconds at ten times the speed take 0.3; the summary has the figures, standard error the odd lines."""
    code, out, err = await _run(str(feed), "--url", broker.url, "--speed", "10", "--json")
    figures = json.loads(out)
    assert code == 0
    assert (figures["messages"], figures["skipped"], figures["unnamed"], figures["refused"]) == (300, 2, 0, 0)
    assert 0.28 < figures["seconds"] < 3.0
    assert figures["lag_ms"]["p50"] <= figures["lag_ms"]["p99"] <= figures["lag_ms"]["max"]
    assert err.splitlines() == [
        "line 1: neither <epoch ms>,<SenML> nor SenML; passed over",
        "line 302: neither <epoch ms>,<SenML> nor SenML; passed over",
    ]


async def test_full_speed_passes_and_limit(broker: Broker, feed: Path) -> None:
    """Three passes of 300, but no more than 700; no lag where no time is kept."""
    arguments = (
        "--url",
        broker.url,
        "--speed",
        "max",
        "--loop",
        "3",
        "--limit",
        "700",
        "--qos",
        "1",
        "--connections",
        "2",
    )
    code, out, _ = await _run(str(feed), *arguments, "--json")
    figures = json.loads(out)
    assert (code, figures["messages"], figures["lag_ms"]) == (0, 700, None)


async def test_the_scaling_factor_of_riotbench(broker: Broker, feed: Path, tmp_path: Path) -> None:
    """A factor of 0.1 is ten times the speed; first lines may be left out; the log has all that was sent."""
    log = tmp_path / "source.log"
    arguments = ("--url", broker.url, "--scaling", "0.1", "--skip", "2", "--log", str(log), "--json")
    code, out, _ = await _run(str(feed), *arguments)
    figures = json.loads(out)
    assert (code, figures["messages"], figures["skipped"]) == (0, 299, 1)
    assert 0.28 < figures["seconds"] < 3.0
    ids = [int(line.split(",")[5]) for line in log.read_text().splitlines()]
    assert ids == list(range(ids[0], ids[0] + 299))


async def test_the_summary_for_people_is_one_line(broker: Broker, feed: Path) -> None:
    """It says how many, how fast, and what was odd."""
    code, out, _ = await _run(str(feed), "--url", broker.url, "--speed", "max")
    assert code == 0
    assert out.startswith("300 messages in ")
    assert out.endswith("/s; 2 lines passed over\n")


async def test_no_broker_is_one_clear_line_and_exit_1(feed: Path) -> None:
    """At once, with the address and what to do."""
    url = f"mqtt://127.0.0.1:{free_port()}"
    code, out, err = await _run(str(feed), "--url", url)
    assert (code, out) == (1, "")
    assert err == f"Error: {url}: connection refused, nothing listens there; is the broker running?\n"


async def test_a_refused_login_is_said_and_exit_1(
    make_broker: Callable[..., Broker], feed: Path, tmp_path: Path
) -> None:
    """The broker's reason is in the log line before."""
    broker = make_broker("allow_anonymous false")
    broker.start()
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    code, _, err = await _run(str(feed), "--url", broker.url, "--username", "me", "--password-file", str(secret))
    assert code == 1
    assert "not authorized" in err
    assert "wrong" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_stops_it_with_the_summary(number: signal.Signals, code: int, broker: Broker) -> None:
    """Also while it waits for a pipe; what was sent until then is told."""
    async with asyncio.timeout(20), aiomqtt.Client("127.0.0.1", broker.port) as listener:
        await listener.subscribe("sensors/1/senml")
        process = await _start("-", "--url", broker.url, "--json", feed=True)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'1000,[{"bn":"urn:dev:x:1:","n":"t","v":1}]\n')
        await anext(listener.messages)
        process.send_signal(number)
        figures = json.loads(await process.stdout.read())
        assert await process.wait() == code
    assert (figures["messages"], figures["signal"]) == (1, number)
    process.stdin.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--speed", "0"], "neither max nor a number above 0"),
        (["--speed", "fast"], "neither max nor a number above 0"),
        (["--url", "http://localhost"], "mqtt://host:1883"),
        (["--topic", "a/#"], "is no topic"),
        (["--topic", "a/{"], "Single '{'"),
        (["--speed", "2", "--scaling", "0.5"], "--speed or --scaling, not both"),
        (["--scaling", "0"], "--scaling"),
    ],
)
async def test_wrong_usage_is_exit_2_before_anything_is_connected(arguments: list[str], words: str, feed: Path) -> None:
    """The message names what is wrong."""
    code, _, err = await _run(str(feed), *arguments)
    assert code == 2
    assert words in err


async def test_a_broken_file_is_exit_1_with_its_error(broker: Broker, tmp_path: Path) -> None:
    """A .gz that is none stops the replay with a line, not with a traceback."""
    path = tmp_path / "feed.gz"
    path.write_bytes(b"1000,[]\n")
    code, _, err = await _run(str(path), "--url", broker.url)
    assert code == 1
    assert "the recording can't be read" in err
    assert "Traceback" not in err

"""One measurement: a fresh broker, a fresh system under test, a warm-up, then the load; read from outside."""

import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench import load
from bench.broker import Broker
from bench.collect import Collector, Latencies
from bench.load import Load
from bench.peers import Peer, Setting
from bench.usage import Family
from riotd.benchmarks import wire

_START = 90.0  # seconds until the first result: Ray on a busy machine
_PROBE = 0.25
_QUIET = 10.0  # seconds without a result: nothing more will come
_SETTLE = 1.0
_WARNING = re.compile(r"\b(warning|error|critical)\b", re.IGNORECASE)
_SHOWN = 5


class Sizes(msgspec.Struct, frozen=True):
    """How much is measured.

    Attributes:
        messages: of the measured load; a tenth of it comes before as a warm-up.
        devices: they come from.
        rate: messages a second; 0 is as fast as the broker takes them.
    """

    messages: int
    devices: int = 100
    rate: float = 0.0


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """What one peer did in one round.

    Attributes:
        peer, qos: who and how.
        results: of `messages` asked for; fewer are a loss, or more than ten seconds of silence.
        per_second: results a second, from the first message sent to the last result.
        cpu_us: CPU time of all its processes, microseconds a message.
        cpu_percent: the same, of one core, while the load ran.
        broker_percent: the broker's CPU time in it; near 100 it is the broker that was measured.
        start_s: seconds from its start to its first result.
        idle_mb, memory_mb: unique memory of all its processes before and after the load, 10^6 bytes.
        processes: at the end.
        p50_ms, p99_ms, max_ms: from due time to result; only with a rate.
        warnings: the first lines of its log that are any: a connection lost on the way explains a figure.
    """

    peer: str
    qos: int
    messages: int
    results: int
    per_second: float
    cpu_us: float
    cpu_percent: float
    broker_percent: float
    start_s: float
    idle_mb: float
    memory_mb: float
    processes: int
    p50_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    warnings: tuple[str, ...] = ()


def measure(peer: Peer, qos: int, sizes: Sizes) -> Measurement:
    """Start it, warm it up, load it, end it.

    Raises:
        RuntimeError: the peer, the broker or the load generator does not work; with the end of the peer's log.
    """
    with tempfile.TemporaryDirectory(prefix="riotd-bench-") as name, Broker(Path(name)) as broker:
        collector = Collector(broker.port, "out/#")
        log = Path(name) / "peer.log"
        commands = peer.commands(Setting(broker.port, qos, Path(name)))  # may install something first
        begun = time.monotonic()
        with Family(commands, log=str(log)) as family:
            if not first_result(broker.port, collector, family):
                raise RuntimeError(f"{peer.name} gave no result within {_START:.0f} s; its log ends:\n{tail(log)}")
            seconds = time.monotonic() - begun
            figures = _loaded(family, collector, broker, Load(broker.port, 0, qos=qos), sizes)
        collector.close()
        return Measurement(
            peer=peer.name, qos=qos, messages=sizes.messages, start_s=seconds, warnings=warnings(log), **figures
        )


def first_result(port: int, collector: Collector, family: Family) -> bool:
    """Whether a message comes out at the other end; one is sent every quarter of a second until it does."""
    deadline = time.monotonic() + _START
    sock = wire.connect(port, "probe")
    collector.expect(1)
    while family.alive and time.monotonic() < deadline:
        payload = load.pack(Load(port, 1), 0, time.time())
        sock.sendall(wire.publish("sensors/dev0/senml", payload))
        if collector.wait(_PROBE):
            sock.close()
            return True
    return False


def warnings(log: Path) -> tuple[str, ...]:
    """The first lines of a log that are warnings or errors."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line for line in lines if _WARNING.search(line))[:_SHOWN]


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


def _loaded(family: Family, collector: Collector, broker: Broker, template: Load, sizes: Sizes) -> dict[str, Any]:
    _send(collector, template, msgspec.structs.replace(sizes, messages=max(sizes.messages // 10, 500)), None)
    collector.expect(1)
    collector.wait(_SETTLE)  # what comes now are late probes
    latencies = Latencies() if sizes.rate else None
    before, broker_before = family.usage(), broker.cpu()
    began = _send(collector, template, sizes, latencies)
    after, broker_after = family.usage(), broker.cpu()
    cpu = after.cpu - before.cpu
    return {
        "results": collector.count,
        "per_second": collector.count / max(collector.last - began, 1e-6),
        "cpu_us": cpu / sizes.messages * 1e6,
        "cpu_percent": cpu / (after.at - before.at) * 100,
        "broker_percent": (broker_after - broker_before) / (after.at - before.at) * 100,
        "idle_mb": before.unique / 1e6,
        "memory_mb": after.unique / 1e6,
        "processes": after.processes,
        **_percentiles(latencies.values if latencies else []),
    }


def _send(collector: Collector, template: Load, sizes: Sizes, latencies: Latencies | None) -> float:
    """Send this much, and wait for as many results; the monotonic time of the first message."""
    what = msgspec.structs.replace(template, messages=sizes.messages, devices=sizes.devices, rate=sizes.rate)
    collector.expect(sizes.messages, latencies)
    process = load.start(what)
    sent = load.finish(process, 600 + sizes.messages / (sizes.rate or 1000))
    collector.wait_while_it_comes(_QUIET)
    return sent.began


def _percentiles(values: list[float]) -> dict[str, float]:
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50_ms": cuts[49], "p99_ms": cuts[98], "max_ms": max(values)}

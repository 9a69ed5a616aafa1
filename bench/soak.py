"""A long load at QoS 1, the sink's broker stalled in the middle: the daemon's memory, and each message's fate.

Two brokers: the load goes into one, results go to the other, which is stopped where it stands for a while, its
connections open. What the daemon may not do then is lose, or grow. `--stall 0 --messages 10000000` is the long run that
asks whether memory is flat.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from bench import load
from bench.broker import Broker
from bench.collect import Collector
from bench.e2e import RESULTS
from bench.fates import Fates
from bench.load import Load
from bench.peers import run_riotd
from bench.resident import Resident
from bench.slope import fitted
from bench.usage import Family

_SAMPLE = 0.1
_QUIET = 15.0  # seconds without a result: nothing more will come
_START = 90.0


class Soaked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; memory is the daemon's resident set in 10^6 bytes.

    Attributes:
        idle_mb: after the start.
        before_mb: when the stall began, under load.
        peak_mb: at its highest after that.
        after_mb: when all was through.
        seconds: from the first message sent to the last result, the stall included.
        stalled: seconds.
        slope: bytes for a million messages of memory that is the daemon's own, but for the stall; None if the run was
            too short to say.
        noise: how much of that is chance.
        course_mb: the same memory at every tenth of the samples.
    """

    engine: str
    messages: int
    lost: int
    doubled: int
    disordered: int
    unreadable: int
    idle_mb: float
    before_mb: float
    peak_mb: float
    after_mb: float
    seconds: float
    stalled: float
    slope: float | None
    noise: float | None
    course_mb: list[float]


def soak(options: argparse.Namespace) -> Soaked:
    """Load, stall, wait, count.

    Raises:
        RuntimeError: the daemon or a broker does not start.
    """
    with (
        tempfile.TemporaryDirectory(prefix="riotd-soak-") as name,
        Broker(Path(name)) as inlet,
        Broker(Path(name)) as outlet,
        Family([_daemon(Path(name), options, inlet, outlet)], log=str(Path(name) / "daemon.log")) as family,
    ):
        online = Collector(inlet.port, "riotd/soak/status")
        online.expect(1)
        if not online.wait(_START) or not family.alive:
            log = (Path(name) / "daemon.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"the daemon did not come up; its log ends:\n{log[-2000:]}")
        online.close()
        return _loaded(options, family, inlet, outlet)


def _loaded(options: argparse.Namespace, family: Family, inlet: Broker, outlet: Broker) -> Soaked:
    fates = Fates(options.messages, options.devices)
    collector = Collector(outlet.port, "out/#")
    memory = Resident(psutil.Process(family.started[0].pid), lambda: collector.count)
    idle = memory.now()
    collector.expect(options.messages // 2, fates)
    memory.start()
    what = Load(inlet.port, options.messages, options.devices, options.rate, qos=1, numbered=True)
    sending = load.start(what)
    collector.wait_while_it_comes(_QUIET)
    before, memory.peak = memory.now(), 0.0
    if options.stall:
        memory.aside = True
        _stall(outlet, options.stall)
        memory.aside = False
    sent = load.finish(sending, 600 + options.messages / (options.rate or 1000))
    while fates.lost and _more(collector):
        pass
    memory.stop()
    slope = fitted(memory.samples)
    return Soaked(
        engine=options.engine,
        messages=options.messages,
        lost=fates.lost,
        doubled=fates.doubled,
        disordered=fates.disordered,
        unreadable=fates.unreadable,
        idle_mb=idle,
        before_mb=before,
        peak_mb=memory.peak,
        after_mb=memory.now(),
        seconds=collector.last - sent.began,
        stalled=options.stall,
        slope=slope.slope if slope else None,
        noise=slope.noise if slope else None,
        course_mb=[round(memory.samples[len(memory.samples) * tenth // 10][1] / 1e6, 1) for tenth in range(10)],
    )


def _more(collector: Collector) -> bool:
    """Whether anything came within the patience that is left to silence."""
    before, deadline = collector.count, time.monotonic() + _QUIET
    while time.monotonic() < deadline:
        time.sleep(_SAMPLE)
        if collector.count != before:
            return True
    return False


def _stall(broker: Broker, seconds: float) -> None:
    broker.stall()
    time.sleep(seconds)
    broker.resume()


def _daemon(folder: Path, options: argparse.Namespace, inlet: Broker, outlet: Broker) -> list[str]:
    return run_riotd(
        folder,
        {
            "name": "soak",
            "source": {
                "type": "mqtt", "url": f"mqtt://127.0.0.1:{inlet.port}", "topics": ["sensors/+/senml"], "qos": 1,
                "session": "persistent",
            },
            "key": {"topic_level": 1},
            "stages": [{"id": "parse", "task": "senml_parse"}, {"id": "pass", "task": "noop"}],
            "engine": {"type": options.engine, "shards": 2 if options.engine == "ray" else 1},
            "ack": options.ack,
            "state": {"path": str(folder / "state")},
            "sinks": {
                "results": {
                    "type": "mqtt", "topic": "out/{source}", "qos": 1,
                    "connection": {"url": f"mqtt://127.0.0.1:{outlet.port}"},
                }
            },
        },
    )  # fmt: skip


def _table(result: Soaked) -> Table:
    table = Table(title=f"{result.messages:,} messages, QoS 1, {result.engine}, sink stalled {result.stalled:g} s")
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_row("messages/s, stall included", f"{result.messages / max(result.seconds, 1e-6):,.0f}")
    for name in ("lost", "doubled", "disordered", "unreadable"):
        table.add_row(name, f"{getattr(result, name):,}")
    for name in ("idle", "before", "peak", "after"):
        table.add_row(f"resident MB, {name}", f"{getattr(result, name + '_mb'):.1f}")
    if result.slope is not None and result.noise is not None:
        verdict = "flat" if abs(result.slope) <= result.noise else "grows" if result.slope > 0 else "shrinks"
        table.add_row("kB for a million messages", f"{result.slope / 1e3:+,.0f} ± {result.noise / 1e3:,.0f}: {verdict}")
    table.add_row("after / before", f"{result.after_mb / result.before_mb:.2f}")
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it, print the table; 1 if a message was lost or out of order."""
    parser = argparse.ArgumentParser(prog="bench soak", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=20_000, help="(20,000)")
    parser.add_argument("--devices", type=int, default=200, help="(200)")
    parser.add_argument("--rate", type=float, default=0.0, help="messages/s; default: as fast as it goes")
    parser.add_argument("--stall", type=float, default=3.0, help="seconds the sink's broker stands still (3); 0: never")
    parser.add_argument("--engine", choices=("inline", "ray"), default="inline")
    parser.add_argument("--ack", choices=("journal", "processed"), default="journal", help="(journal)")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    options = parser.parse_args(arguments)
    result = soak(options)
    document = json.dumps(msgspec.to_builtins(result), indent=2)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"soak-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    file.write_text(document + "\n", encoding="utf-8")
    if options.json:
        print(document)
    else:
        Console(width=None if sys.stdout.isatty() else 80).print(_table(result))
        print(f"in full: {os.path.relpath(file)}")
    return int(bool(result.lost or result.disordered or result.unreadable))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, ConnectionError) as error:
        sys.exit(f"bench soak: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

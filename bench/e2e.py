"""End to end, side by side in one run: riotd and its peers through the same broker, load and collector.

Rounds alternate between the peers, and what counts are the ratios to the C relay of the same round: absolute figures
wander by 30 % on a shared machine, ratios by a few percent.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.measure import Measurement, Sizes, measure
from bench.peers import PEERS

RESULTS = Path(__file__).parent / "results"
_DEFAULT = "relay,aiomqtt,inline,ray"
Case = tuple[str, int]
"""A peer and its QoS."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds, print the table; 1 if any measurement is incomplete."""
    options = _options(arguments)
    sizes = Sizes(options.messages, options.devices, options.rate)
    cases = cases_of(options.peers.split(",") + ["nodered"] * options.nodered, options.qos)
    rounds = [_round(number, options.rounds, cases, sizes) for number in range(options.rounds)]
    document = {"machine": _machine(), "sizes": msgspec.to_builtins(sizes), "rounds": msgspec.to_builtins(rounds)}
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"e2e-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if options.json:
        print(json.dumps(document))
    else:
        Console(width=None if sys.stdout.isatty() else 120).print(_table(cases, rounds, sizes))
        print(f"in full: {os.path.relpath(file)}")
    return int(any(each.results != each.messages for measurements in rounds for each in measurements))


def cases_of(names: Sequence[str], qos: str) -> list[Case]:
    """Each peer at each QoS; the relay only at QoS 0, since it is what all are compared with.

    Raises:
        SystemExit: a name is no peer's.
    """
    if unknown := [name for name in names if name not in PEERS]:
        raise SystemExit(f"bench: no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    levels = [0, 1] if qos == "both" else [int(qos)]
    relay: list[Case] = [("relay", 0)] if "relay" in names else []
    return relay + [(name, level) for level in levels for name in dict.fromkeys(names) if name != "relay"]


def ratios(case: Case, rounds: Sequence[Sequence[Measurement]]) -> list[float]:
    """This case's throughput as a share of the relay's, one for each round that has both."""
    by_case = [{(each.peer, each.qos): each.per_second for each in measurements} for measurements in rounds]
    return [speeds[case] / speeds["relay", 0] for speeds in by_case if case in speeds and ("relay", 0) in speeds]


def _round(number: int, of: int, cases: Sequence[Case], sizes: Sizes) -> list[Measurement]:
    turn = number % len(cases)
    measurements = []
    for name, qos in [*cases[turn:], *cases[:turn]]:  # nobody is always first
        measurement = measure(PEERS[name], qos, sizes)
        measurements.append(measurement)
        lost = sizes.messages - measurement.results
        print(
            f"round {number + 1}/{of}  {name:8} QoS {qos}  {measurement.per_second:8,.0f}/s"
            + (f"  {lost} of {sizes.messages} results missing" if lost else ""),
            *measurement.warnings,
            sep="\n    ",
            file=sys.stderr,
            flush=True,
        )
    return measurements


def _table(cases: Sequence[Case], rounds: Sequence[Sequence[Measurement]], sizes: Sizes) -> Table:
    load = f"{sizes.rate:g} messages/s" if sizes.rate else "as fast as it goes"
    table = Table(title=f"{sizes.messages:,} packs of 258 B, {sizes.devices} devices, {load}; medians of {len(rounds)}")
    for heading in ("peer", "QoS", "results/s", "of relay", "CPU µs", "CPU %", "broker %", "start s", "idle MB", "MB"):
        table.add_column(heading, justify="left" if heading == "peer" else "right")
    for heading in ("p50 ms", "p99 ms", "max ms") if sizes.rate else ():
        table.add_column(heading, justify="right")
    table.add_column("missing", justify="right")
    for case in cases:
        mine = [each for measurements in rounds for each in measurements if (each.peer, each.qos) == case]
        table.add_row(*_row(case, mine, ratios(case, rounds), with_latency=bool(sizes.rate)))
    return table


def _row(case: Case, mine: Sequence[Measurement], shares: Sequence[float], *, with_latency: bool) -> list[str]:
    def median(name: str) -> float:
        return statistics.median(getattr(each, name) or 0.0 for each in mine)

    latency = [f"{median(name):.1f}" for name in ("p50_ms", "p99_ms", "max_ms")] if with_latency else []
    return [
        case[0],
        str(case[1]),
        f"{median('per_second'):,.0f}",
        f"{statistics.median(shares):.2f}" if shares else "",
        f"{median('cpu_us'):.1f}",
        f"{median('cpu_percent'):.0f}",
        f"{median('broker_percent'):.0f}",
        f"{median('start_s'):.1f}",
        f"{median('idle_mb'):.0f}",
        f"{median('memory_mb'):.0f}",
        *latency,
        str(sum(each.messages - each.results for each in mine)),
    ]


def _machine() -> dict[str, str | int | None]:
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    about = "; ".join(f"{peer.name}: {peer.about}" for peer in PEERS.values())
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n")[0] if __doc__ else "", epilog=about)
    parser.add_argument("--messages", type=int, default=0, help="of one measurement (50,000; with --rate 10 s of it)")
    parser.add_argument("--rounds", type=int, default=3, help="each measures every peer once (3)")
    parser.add_argument("--devices", type=int, default=100, help="the messages come from (100)")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="messages/s, for latencies; default: as fast as it goes"
    )
    parser.add_argument(
        "--qos", choices=("0", "1", "both"), default="0", help="in and out; the relay's is always 0 (0)"
    )
    parser.add_argument("--peers", default=_DEFAULT, help=f"by commas ({_DEFAULT})")
    parser.add_argument("--nodered", action="store_true", help="Node-RED too; brings it by npm, outside the repository")
    parser.add_argument("--json", action="store_true", help="every figure of every round, instead of the table")
    options = parser.parse_args(arguments)
    options.messages = options.messages or int(options.rate * 10) or 50_000
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, ConnectionError) as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

"""The picture of a running daemon, as `riotd status` shows it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from riotd.units import size_text

_LEDGER = ("received", "replayed", "settled", "in_flight", "rejected", "residue")
_STAGE = ("in", "out", "filtered", "rejected", "emitted", "residue")
_RATES = ("received", "settled", "results")
_PHASES = {"running": "green", "draining": "yellow"}


class Picture:
    """Tables of a daemon's answers; rates are since the answer before, if there was one."""

    def __init__(self) -> None:
        self._before: Mapping[str, Any] = {}

    def of(self, answer: Mapping[str, Any]) -> RenderableType:
        """The picture of an answer to `{"do": "status"}`."""
        report = answer["report"]
        parts = [_head(answer), *_alarms(report), self._figures(report)]
        parts += [_ledger(report["ledger"]), _stages(report["stages"]), _shards(report["shards"])]
        parts += [*_scaling(report.get("scaling")), _parts(report)]
        self._before = report
        return Group(*parts)

    def _figures(self, report: Mapping[str, Any]) -> RenderableType:
        now, window, queue = report["latency_ms"], report["window"], report["queue"]
        rates = {name: window[f"{name}_per_s"] for name in _RATES}
        if self._before and (seconds := report["uptime_s"] - self._before["uptime_s"]) > 0:
            messages, earlier = report["messages"], self._before["messages"]
            rates = {name: (messages[name] - earlier[name]) / seconds for name in _RATES}
        whole = report["latency_ms_since_start"]
        grid = Table.grid(padding=(0, 2))
        for _ in range(6):
            grid.add_column(no_wrap=True)
        grid.add_row(
            Text("per second", style="dim"),
            *(_figure("in" if name == "received" else name, f"{rate:,.0f}") for name, rate in rates.items()),
            _figure("waiting", f"{queue['waiting']:,}"),
            _figure("in flight", size_text(queue["in_flight_bytes"])),
        )
        for title, latency in ((f"last {window['seconds']:,.0f} s", now), ("since start", whole)):
            names = ("p50", "p95", "p99", "max") if latency["count"] else ()
            figures = (_figure(name, f"{latency[name]:,.1f} ms") for name in names)
            grid.add_row(Text(title, style="dim"), *figures)
        return grid


def _head(answer: Mapping[str, Any]) -> Text:
    phase = answer["phase"]
    uptime = timedelta(seconds=round(answer["report"]["uptime_s"]))
    about = f"  for {uptime}, process {answer['pid']}, riotd {answer['version']}  {answer['file']}"
    return Text.assemble((answer["name"], "bold cyan"), "  ", (phase, _PHASES.get(phase, "")), (about, "dim"))


def _alarms(report: Mapping[str, Any]) -> list[RenderableType]:
    if not report["alarms"]:
        return []
    lines = Text("\n".join(report["alarms"]), style="bold red")
    return [Panel(lines, title="ALARM: something does not add up", border_style="red", title_align="left")]


def _ledger(ledger: Mapping[str, Any]) -> RenderableType:
    heads = ("received", "again", "settled", "in flight", "dead letters", "residue")
    table = _table("ledger", *heads)
    rows = ledger["sources"]
    for row in rows:
        name = Text.assemble(row["source"], " ", (row["filter"] or "(by no filter)", "cyan"))
        table.add_row(name, *_counts(row, _LEDGER))
    if len(rows) > 1:
        table.add_section()
        table.add_row("all", *_counts(ledger, _LEDGER))
    return table


def _stages(stages: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = _table("stage", "in", "out", "filtered", "refused", "emitted", "residue", "busy")
    for stage in stages:
        table.add_row(stage["id"], *_counts(stage, _STAGE), f"{stage['busy_s']:,.1f} s")
    return table


def _shards(shards: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = _table("shard", "key-groups", "messages", "tasks", "dropped", "load", "busy")
    for number, shard in enumerate(shards):
        counts = [f"{shard[name]:,}" for name in ("groups", "messages", "tasks", "evicted")]
        table.add_row(str(number), *counts, f"{shard['load']:.0%}", f"{shard['busy_s']:,.1f} s")
    return table


def _scaling(scaling: Mapping[str, Any] | None) -> list[RenderableType]:
    """The change of the number of shards, while it is under way, or if it has failed."""
    if scaling is None or scaling["phase"] in {"done", "stopped"}:
        return []
    where = f"{scaling['phase']}, {scaling['moved']} of {scaling['moves']} key-groups have moved"
    problem = f": {scaling['problem']}" if "problem" in scaling else ""
    return [Text(f"{scaling['from']} → {scaling['to']} shards: {where}{problem}", style="yellow")]


def _parts(report: Mapping[str, Any]) -> RenderableType:
    """Counters of what the daemon is connected to, as far as there is something to count."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    if memory := report.get("memory"):
        grid.add_row("memory", _memory(memory))
    sinks = {f"sink {name}": counters for name, counters in report["sinks"].items()}
    rest = {"engine": report["engine"], "dead letters": report.get("rejects", {}), "state": report.get("state", {})}
    parts = {"source": report["source"], **sinks, **rest}
    for name, counters in parts.items():
        said = ", ".join(f"{what} {_value(what, value)}" for what, value in counters.items() if value)
        if said:
            grid.add_row(name, said)
    return grid


def _memory(memory: Mapping[str, Any]) -> str:
    """The budget, who has the most of it, and what the process has in all."""
    text = f"{size_text(memory['used'])} of {size_text(memory['budget'])}"
    name, most = max(memory["parts"].items(), key=lambda part: int(part[1]["used"]))
    return f"{text} ({name} {size_text(most['used'])}); the process has {size_text(memory['resident'])}"


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=SIMPLE_HEAD, pad_edge=False, border_style="dim", header_style="bold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _counts(row: Mapping[str, Any], names: Sequence[str]) -> list[Text]:
    return [Text(f"{row[name]:,}", style=_style(name, row[name])) for name in names]


def _style(name: str, count: int) -> str:
    """A residue is an alarm; what was refused is worth a look."""
    if not count:
        return "dim" if name == "residue" else ""
    return {"residue": "bold white on red", "rejected": "red"}.get(name, "")


def _figure(name: str, value: str) -> Text:
    return Text.assemble((f"{name} ", "dim"), (value, "bold"))


def _value(what: str, value: Any) -> str:  # noqa: ANN401 - what JSON can say
    if not isinstance(value, int | float):
        return str(value)
    return size_text(value) if "bytes" in what else f"{value:,}"

"""What the demo shows: the statistics the daemon publishes, and its results, as a second client hears them."""

from collections import deque
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_LAST = 8
"""Results kept on the screen."""


class Screen:
    """The picture; told messages, gives renderables. Knows no broker.

    Args:
        title: what is shown, e.g. where the broker is.
        rejects: where dead letters go.
        seconds: how long the demo runs.
    """

    def __init__(self, *, title: str, rejects: str, seconds: float) -> None:
        self._title = title
        self._rejects = rejects
        self._seconds = seconds
        self._stats: dict[str, Any] = {}
        self._results: deque[tuple[str, str]] = deque(maxlen=_LAST)
        self.heard = 0
        """Results heard so far."""
        self.note = "starting the broker and Ray …"

    def hear(self, topic: str, payload: bytes) -> None:
        """Take in a message: statistics or a result."""
        if topic.endswith("/stats"):
            self._stats = orjson.loads(payload)
            return
        self.heard += 1
        self._results.append((topic, _reading(payload)))

    def render(self, elapsed: float) -> RenderableType:
        """The picture `elapsed` seconds after the start."""
        left = max(self._seconds - elapsed, 0)
        head = Text.assemble(("riotd demo", "bold cyan"), f"  {self._title}  ", (f"{left:3.0f} s left", "dim"))
        if not self._stats:
            return Group(head, Text(self.note, style="yellow"))
        return Group(head, *self._alarms(), self._rates(), self._stages(), self._last(), self._foot())

    def _alarms(self) -> list[RenderableType]:
        """What does not add up in the daemon's books; nothing, as it should be."""
        return [Text(f"ALARM {alarm}", style="bold white on red") for alarm in self._stats.get("alarms", ())]

    def _rates(self) -> RenderableType:
        window, latency = self._stats["window"], self._stats["latency_ms"]
        messages, shards = self._stats["messages"], self._stats["shards"]
        table = Table.grid(padding=(0, 3))
        table.add_row(
            _figure("in", f"{window['received_per_s']:.0f}/s"),
            _figure("results", f"{window['results_per_s']:.0f}/s"),
            _figure("p50", f"{latency['p50']:.1f} ms"),
            _figure("p99", f"{latency['p99']:.1f} ms"),
            _figure("in flight", f"{messages['in_flight']}"),
            _figure("load", " ".join(f"{shard['load']:.0%}" for shard in shards)),
            _figure("dead letters", f"{messages['rejected']}", style="red" if messages["rejected"] else "green"),
        )
        return Panel(table, border_style="dim")

    def _stages(self) -> RenderableType:
        table = Table("stage", expand=True, border_style="dim", header_style="bold")
        for name in ("in", "out", "filtered", "rejected", "emitted", "busy"):
            table.add_column(name, justify="right")
        for stage in self._stats["stages"]:
            rejected = Text(f"{stage['rejected']:,}", style="red" if stage["rejected"] else "")
            counts = [f"{stage[name]:,}" for name in ("in", "out", "filtered")]
            table.add_row(stage["id"], *counts, rejected, f"{stage['emitted']:,}", f"{stage['busy_s']:.2f} s")
        return table

    def _last(self) -> RenderableType:
        table = Table("last results", "", expand=True, border_style="dim", header_style="bold")
        for topic, reading in self._results:
            table.add_row(Text(topic, style="cyan"), reading)
        return table

    def _foot(self) -> RenderableType:
        return Text.assemble(("dead letters, with their reasons: ", "dim"), self._rejects, ("   Ctrl-C drains", "dim"))


def _figure(name: str, value: str, *, style: str = "bold") -> Text:
    return Text.assemble((f"{name} ", "dim"), (value, style))


def _reading(payload: bytes) -> str:
    """A SenML pack as a person would say it: temperature 21.4 Cel."""
    words = ((entry.get("n", ""), f"{entry.get('v', '')!s:.7}", entry.get("u", "")) for entry in orjson.loads(payload))
    return ", ".join(" ".join(filter(None, one)) for one in words)

"""The picture of the four dataflows in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from riotd.demo.full.picture import Model, Picture

_DOES = {
    "etl": "sensors → clean, whole, annotated → table, MQTT",
    "stats": "ETL's readings → averages, forecasts, counts → charts",
    "train": "timer → the table's rows → models → store, notice",
    "pred": "ETL's readings, notices → predictions, their errors",
}


class Screen:
    """Renders a picture.

    Args:
        picture: what is known.
        names: of the daemons, by their flows.
        title: what is shown, and where.
        seconds: how long the demo runs.
        insert: id of ETL's stage that writes the table.
        charts: where charts are; before their names.
    """

    def __init__(  # noqa: PLR0913 - all that it can't be told by the four
        self, picture: Picture, names: Mapping[str, str], *, title: str, seconds: float, insert: str, charts: str
    ) -> None:
        self._picture, self._names = picture, names
        self._title, self._seconds, self._insert, self._charts = title, seconds, insert, charts

    def render(self, elapsed: float, now: float, states: Mapping[str, str]) -> RenderableType:
        """The picture.

        Args:
            elapsed: seconds since the feed began.
            now: monotonic seconds.
            states: how each flow's process is.
        """
        left = max(self._seconds - elapsed, 0)
        head = Text.assemble(
            ("riotd demo --full", "bold cyan"), f"  {self._title}  ", (f"{left:3.0f} s left, Ctrl-C drains", "dim")
        )
        return Group(head, *self._alarms(), self._flows(states), self._loop(now), self._events(now))

    def rows(self) -> int:
        """Rows that ETL has written to the table."""
        stages: Sequence[dict[str, Any]] = self._picture.stats.get(self._names["etl"], {}).get("stages", [])
        return next((int(stage["out"]) for stage in stages if stage["id"] == self._insert), 0)

    def _alarms(self) -> list[RenderableType]:
        """What does not add up in the books of one of the four; nothing, as it should be."""
        return [
            Text(f"ALARM {flow}: {alarm}", style="bold white on red")
            for flow, name in self._names.items()
            for alarm in self._picture.stats.get(name, {}).get("alarms", ())
        ]

    def _flows(self, states: Mapping[str, str]) -> RenderableType:
        table = Table("flow", "", expand=True, border_style="dim", header_style="bold")
        for name in ("in/s", "out/s", "p50", "p99", "in flight", "refused"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("what it does", no_wrap=True, ratio=1)
        for flow, name in self._names.items():
            figures = _figures(self._picture.stats.get(name))
            style = "green" if states[flow] == "runs" else "yellow" if states[flow] == "starts" else "red"
            table.add_row(Text(flow, style="bold"), Text(states[flow], style=style), *figures, _DOES[flow])
        return table

    def _loop(self, now: float) -> RenderableType:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        grid.add_row("table", f"{self.rows():,} rows written by ETL")
        for kind, model in self._picture.models.items():
            grid.add_row(kind, _in_force(model, now))
        grid.add_row("last prediction", self._prediction())
        grid.add_row("last class", self._picture.classified or "-")
        grid.add_row("newest chart", self._charts + self._picture.chart if self._picture.chart else "-")
        return Panel(grid, title="the loop", title_align="left", border_style="dim")

    def _prediction(self) -> Text:
        said = self._picture.prediction
        if said is None:
            return Text("none: PRED waits for TRAIN's first model", style="dim")
        words = f"{said.source}: {_number(said.predicted)} foretold, {_number(said.actual)} measured"
        error = "" if said.error is None else f", error {_number(said.error)} of the mean"
        return Text.assemble(words, (error, "bold"), (f"   by {said.version}", "dim"))

    def _events(self, now: float) -> RenderableType:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(justify="right", style="dim")
        for when, event in self._picture.events:
            grid.add_row(f"{now - when:3.0f} s ago", event)
        return Panel(grid, title="what happened", title_align="left", border_style="dim")


def _figures(stats: dict[str, Any] | None) -> list[str | Text]:
    if stats is None:
        return ["-"] * 6
    window, messages = stats["window"], stats["messages"]
    latency = stats["latency_ms" if window["settled"] else "latency_ms_since_start"]
    return [
        f"{window['received_per_s']:,.0f}",
        f"{window['results_per_s']:,.0f}",
        _milliseconds(latency["p50"]),
        _milliseconds(latency["p99"]),
        f"{messages['in_flight']}",
        Text(f"{messages['rejected']}", style="red" if messages["rejected"] else ""),
    ]


def _milliseconds(value: float) -> str:
    return f"{value:,.{1 if value < 100 else 0}f} ms"


def _in_force(model: Model, now: float) -> Text:
    if not model.version:
        return Text("none yet" + f"; {model.announced} announced" * bool(model.announced), style="dim")
    ordinal = {1: "the first"}.get(model.taken, f"number {model.taken}")
    newer = f"; {model.announced} announced" if model.announced not in {"", model.version} else ""
    quality = f", {model.quality}" if model.quality and model.announced == model.version else ""
    return Text.assemble(
        (model.version, "bold"), f"  {ordinal}, in force for {now - model.since:.0f} s{quality}{newer}"
    )


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)

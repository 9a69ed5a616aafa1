"""What the four say over MQTT, put together: rates, the model in force, the last prediction, charts."""

import asyncio
from collections import deque
from collections.abc import Collection
from typing import Any, Final

import msgspec
import orjson

LAST: Final = 6
"""Events kept."""


class Model(msgspec.Struct):
    """A kind of model as its results and its notices show it.

    Attributes:
        version: that the latest result was made with; "" before the first.
        since: when results with it began, monotonic seconds.
        taken: how many versions there have been.
        announced: version of the latest notice.
        quality: what that says of it.
    """

    version: str = ""
    since: float = 0.0
    taken: int = 0
    announced: str = ""
    quality: str = ""


class Prediction(msgspec.Struct, frozen=True):
    """A result of PRED: whose, what was foretold, what was measured, and by how much that was missed."""

    source: str
    predicted: object
    actual: object
    error: object
    version: str


class Picture:
    """All that is known of the four; told messages.

    Attributes:
        stats: the last report of each daemon, by its name.
        online: names of the daemons that say they are.
        models: by kind.
        prediction: the last one, with its error where there is one.
        classified: the last class.
        chart: path of the newest chart.
        events: the latest things that happened, with when.
        told: how many things happened.
        heard: results heard.
    """

    def __init__(self) -> None:
        self.stats: dict[str, dict[str, Any]] = {}
        self.online: set[str] = set()
        self.models = {"linear_regression": Model(), "decision_tree": Model()}
        self.prediction: Prediction | None = None
        self.classified = ""
        self.chart = ""
        self.events: deque[tuple[float, str]] = deque(maxlen=LAST)
        self.told = 0
        self.heard = 0
        self._changed = asyncio.Event()

    def hear(self, topic: str, payload: bytes, now: float) -> None:
        """Take in a message; what is none of ours is passed over."""
        levels = topic.split("/")
        if levels[0] == "riotd" and len(levels) == 3:
            self._about(levels[1], levels[2], payload, now)
            return
        self.heard += 1
        try:
            said = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return
        if isinstance(said, dict) and "sha256" in said:
            self._announced(said, now)
        elif isinstance(said, dict) and isinstance(said.get("values"), dict):
            self._result(said, said["values"], now)

    def tell(self, event: str, now: float) -> None:
        """Something happened."""
        self.events.append((now, event))
        self.told += 1

    def since(self, told: int) -> list[str]:
        """What happened after so many things had, as far as it is kept."""
        count = min(self.told - told, len(self.events))
        return [event for _, event in list(self.events)[len(self.events) - count :]]

    async def all_online(self, names: Collection[str]) -> None:
        """Return when all of these say they are."""
        while not self.online.issuperset(names):
            self._changed.clear()
            await self._changed.wait()

    def _about(self, name: str, what: str, payload: bytes, now: float) -> None:
        if what == "stats":
            self._reported(name, orjson.loads(payload), now)
        elif what == "status" and payload == b"online":
            self.online.add(name)
            self._changed.set()
        elif what == "status":
            self.online.discard(name)

    def _reported(self, name: str, report: dict[str, Any], now: float) -> None:
        """Take a daemon's report; an alarm is told when it begins: its numbers may change with every report."""
        before = {_where(alarm) for alarm in self.stats.get(name, {}).get("alarms", ())}
        for alarm in report.get("alarms", ()):
            if _where(alarm) not in before:
                self.tell(f"ALARM {name}: {alarm}", now)
        self.stats[name] = report

    def _announced(self, notice: dict[str, Any], now: float) -> None:
        model = self.models.setdefault(str(notice.get("kind")), Model())
        if model.announced == notice.get("version"):
            return
        model.announced = str(notice.get("version"))
        metrics = notice.get("metrics") or {}
        model.quality = ", ".join(f"{name} {value:.3g}" for name, value in metrics.items())
        self.tell(f"TRAIN announced {model.announced}" + f" ({model.quality})" * bool(model.quality), now)

    def _result(self, said: dict[str, Any], values: dict[str, Any], now: float) -> None:
        if "event" in values:
            self._happened(values, now)
        elif "prediction" in values:
            self._predicted(said, values, now)
        elif "class" in values:
            self.classified = f"{said.get('source')}: {values['class']}"
            self._made_with("decision_tree", said, now)
        elif "path" in values or "blob" in values:
            self.chart = str(values.get("blob") or values["path"])

    def _happened(self, values: dict[str, Any], now: float) -> None:
        reason = f": {values['reason']}" if values.get("reason") else ""
        self.tell(f"PRED: {values['event']} {values.get('version', '')}{reason}", now)

    def _predicted(self, said: dict[str, Any], values: dict[str, Any], now: float) -> None:
        version = self._made_with("linear_regression", said, now)
        names = [name for name in values if name not in {"prediction", "error"}]
        actual = values[names[-1]] if names else None
        self.prediction = Prediction(
            str(said.get("source")), values["prediction"], actual, values.get("error"), version
        )

    def _made_with(self, kind: str, said: dict[str, Any], now: float) -> str:
        version = str((said.get("meta") or {}).get("model", ""))
        model = self.models.setdefault(kind, Model())
        if version and version != model.version:
            before = f" instead of {model.version}" if model.version else ""
            self.tell(f"PRED's results are made with {version}{before}", now)
            model.version, model.since, model.taken = version, now, model.taken + 1
        return version


def _where(alarm: str) -> str:
    """Which book it is of."""
    return alarm.partition(":")[0]

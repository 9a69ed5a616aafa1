"""What the demo sets in the configs of the four dataflows, and where it hears of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from riotd.config.layers import layered
from riotd.errors import ConfigError

_QUICKER = {"fit-stats": ("stages.series.params.window=1100", "stages.counts.params.window=5000")}
"""What else is set, so that there are charts within a minute: FIT's are of 100 seconds at its full rate."""
_KEPT = {"type", "every", "key"}
"""Keys of a timer that go with any interval."""
_FIELD = re.compile(r"[^/]*\{[^/]*")
"""A level of a topic template with a field in it."""


class Broker(NamedTuple):
    """Where the broker is, what it speaks, and what it is called."""

    url: str
    protocol: str
    name: str


class Flow:
    """One dataflow's config with its overlays, as it is written.

    Args:
        file: its path.
        overlays: names or paths, as `--with` gets them.

    Raises:
        ConfigError: one of the files can't be read.
    """

    def __init__(self, file: Path, overlays: Sequence[str]) -> None:
        layers, mistakes = layered(file, overlays, [])
        if mistakes:
            raise ConfigError(mistakes)
        self._file, self._overlays = file, overlays
        self._data = layers.data
        self.name = str(self._data["name"])
        """The daemon's, which is in its topics."""

    def arguments(self, broker: Broker, *, train_every: str) -> list[str]:
        """Arguments of `riotd run`, so that it is for this broker, speaks of itself often, and has quick timers.

        Sessions are clean: nothing is left at a broker of one's own.
        """
        found = [str(self._file)]
        for name in self._overlays:
            found += ["--with", name]
        for setting in self._settings(broker, train_every):
            found += ["--set", setting]
        return found

    def topics(self) -> list[str]:
        """Filters for all that its sinks publish."""
        sinks = self._data["sinks"].values()
        return [_FIELD.sub("+", sink["topic"]) for sink in sinks if sink.get("type") == "mqtt"]

    def stage(self, task: str) -> Mapping[str, Any]:
        """Its first stage with this task, as it is written; empty without one."""
        return next((stage for stage in self._data["stages"] if stage["task"] == task), {})

    def _settings(self, broker: Broker, train_every: str) -> Iterator[str]:
        yield "stats.every=1s"
        yield from _QUICKER.get(self.name, ())
        for path, block in _blocks(self._data):
            if str(block.get("url", "")).startswith(("mqtt://", "mqtts://")):
                yield f"{path}.url={broker.url}"
                yield f'{path}.protocol="{broker.protocol}"'
                yield f"{path}.session=clean"
            elif block.get("type") == "timer":
                yield f"{path}.every={train_every}"
                yield from (f"{path}.{key}=null" for key in block if key not in _KEPT)


def _blocks(data: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All mappings within one, by their dotted paths; those in lists, the stages, are not for us."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            here = f"{path}.{key}" if path else str(key)
            yield here, value
            yield from _blocks(value, here)

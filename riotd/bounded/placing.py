"""Which place an engine's name stands for: right here, Ray's actors, Beam or Flink."""

from riotd.bounded.places import Here, Place
from riotd.errors import ConfigError, Mistake

ENGINES = ("inline", "ray", "beam", "flink")


def place(engine: str, *, shards: int, address: str | None = None) -> Place:
    """The place an engine's name stands for; nothing is started yet.

    Raises:
        ConfigError: there is no such engine.
    """
    if engine == "inline":
        return Here(shards)
    if engine == "ray":
        from riotd.bounded.actors import Actors  # noqa: PLC0415 - of no use to the other engines

        return Actors(shards, address)
    if engine in ENGINES:
        from riotd.bounded.elsewhere import Platform  # noqa: PLC0415 - as above

        return Platform(engine, shards)
    raise ConfigError([Mistake("engine", f"there is no engine {engine!r}", f"there are {', '.join(ENGINES)}")])

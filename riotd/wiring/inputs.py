"""Where messages come from: sources, what they are called, and the keys of their messages."""

from collections.abc import Mapping, Sequence

from riotd import config as cfg
from riotd.clock import Clock
from riotd.partitioning import Keying, KeyOf, by_field, by_topic_level, by_topic_regex, one_key
from riotd.ports import Source


def merged(sources: Mapping[str, Source]) -> Source:
    """All of them as one, each with its name."""
    if len(sources) == 1:
        return next(iter(sources.values()))
    from riotd.sources.merged import Merged  # noqa: PLC0415 - only the parts in use are loaded

    return Merged(sources)


def inlet(config: cfg.Config, inlet: cfg.Inlet, clock: Clock, buffer: int) -> Source:
    """The source an inlet of the config means; `buffer` is in bytes, where it does not say."""
    block = inlet.block
    if isinstance(block, cfg.MqttSource):
        from riotd.sources.mqtt import MqttSource  # noqa: PLC0415 - as above

        name = f"{config.name}-{inlet.name}" if inlet.name else config.name  # a session of its own for each
        block = block if block.buffer else block.model_copy(update={"buffer": buffer})
        return MqttSource(block, name=name, clock=clock, linger=config.max_wait, where=inlet.where)
    if isinstance(block, cfg.TimerSource):
        from riotd.sources.remembering import Memory  # noqa: PLC0415
        from riotd.sources.timer import TimerSource  # noqa: PLC0415

        name = inlet.name or config.name
        memory = Memory(config.state_folder, name) if block.missed == "once" else None
        return TimerSource(block, name=name, clock=clock, memory=memory)
    from riotd.sources.files import FileSource  # noqa: PLC0415

    return FileSource(block, clock=clock)


def filters(config: cfg.Config, inlet: cfg.Inlet) -> Sequence[str]:
    """What a source takes in, in the config's words."""
    block = inlet.block
    if isinstance(block, cfg.MqttSource):
        return block.topics
    return (block.path if isinstance(block, cfg.FileSource) else f"timer/{inlet.name or config.name}",)


def keying(inlet: cfg.Inlet) -> Keying:
    """How the messages of an inlet get their keys."""
    return Keying(None if inlet.every else _key_of(inlet.key), inlet.key.field is None)


def _key_of(key: cfg.Key) -> KeyOf:
    if key.topic_level is not None:
        return by_topic_level(key.topic_level)
    if key.topic_regex is not None:
        return by_topic_regex(key.topic_regex)
    return by_field(key.field) if key.field is not None else one_key

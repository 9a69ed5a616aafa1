"""What comes in, as the config says it: subscriptions or files; timers are in `timers`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from riotd.config.connection import Block, Connection, Size
from riotd.config.timers import TimerSource


def _topic_filter(text: str) -> str:
    levels = text.split("/")
    if not text or "\0" in text:
        raise ValueError("a topic filter has at least one character, none of them NUL")
    if levels[0] == "$share" and (len(levels) < 3 or not levels[1] or set(levels[1]) & set("+#")):
        raise ValueError("a shared subscription is $share/<group>/<filter>")
    if "#" in levels[:-1] or any(len(level) > 1 and set(level) & set("+#") for level in levels):
        raise ValueError("+ and # stand alone in a level, and # only in the last")
    return text


class MqttSource(Connection):
    """Subscriptions on a broker.

    Attributes:
        type: `mqtt`.
        topics: topic filters; shared subscriptions as $share/<group>/<filter>.
        qos: of the subscriptions, 0, 1 or 2.
        receive_maximum: unacknowledged messages the broker may send ahead (MQTT 5, QoS 1 and 2).
        buffer: bytes received and not yet taken, 1 kB a message beside its payload; past it reading pauses; default
            its share of `memory`.
        max_packet: largest packet accepted, bytes (MQTT 5 brokers are told).
        retained: false leaves out what the broker kept from before the subscription.
    """

    type: Literal["mqtt"]
    topics: list[Annotated[str, AfterValidator(_topic_filter)]] = Field(min_length=1)
    qos: Literal[0, 1, 2] = 1
    receive_maximum: int = Field(default=8192, ge=1, le=50_000)
    buffer: Size | None = None
    max_packet: Size = 16 * 2**20
    retained: bool = True

    def connection(self) -> Connection:
        """The part that says how to reach the broker; equal for equal settings, and hashable."""
        return Connection.model_construct(**{name: getattr(self, name) for name in Connection.model_fields})


class FileSource(Block):
    """Lines of files.

    Attributes:
        type: `file`.
        path: one file or a glob.
        follow: true is tail -F: wait for more, through rotation; false reads to the end and stops (.gz too).
        format: `lines`, one message each, or `riotbench`, `<epoch ms>,<SenML>`.
        start: where a followed file that is there at the start is read from.
        max_line: longest line, bytes; a longer one is a dead letter.
    """

    type: Literal["file"]
    path: str
    follow: bool = False
    format: Literal["lines", "riotbench"] = "lines"
    start: Literal["beginning", "end"] = "beginning"
    max_line: Size = 2**20


Source = Annotated[MqttSource | FileSource | TimerSource, Field(discriminator="type")]
"""What `source:` may be."""

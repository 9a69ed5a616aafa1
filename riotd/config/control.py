"""What a daemon may be told over MQTT while it runs."""

from typing import Any, Literal

from riotd.config.connection import Block, Connection
from riotd.config.inputs import MqttSource

_BUFFER = 2**18
"""Bytes of commands that wait, and of one of them at most."""


class ControlBlock(Block):
    """Questions and commands over MQTT; over the unix socket both are always there.

    Attributes:
        mqtt: `none`; `read`, questions are answered; or `write`, commands are carried out too, for whoever may publish.
        topic: {name} is the daemon's; what is asked comes to `<topic>/<what>`, answers go to `<topic>/result`.
        connection: default that of the statistics.
    """

    mqtt: Literal["none", "read", "write"] = "none"
    topic: str = "riotd/{name}/control"
    connection: Connection | None = None


def commands(connection: Connection, topic: str) -> MqttSource:
    """The subscription by which commands come: each once, and none that was there before us."""
    reach: dict[str, Any] = {name: getattr(connection, name) for name in Connection.model_fields}
    reach |= {"client_id": None, "session": "clean"}
    return MqttSource.model_construct(
        **reach, type="mqtt", topics=[f"{topic}/+"], qos=1, retained=False, buffer=_BUFFER, max_packet=_BUFFER
    )

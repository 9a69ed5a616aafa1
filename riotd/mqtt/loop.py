"""The event loop the daemon runs on: uvloop, made to accept what the MQTT client asks of a connection."""

from typing import Any

import uvloop


class Loop(uvloop.Loop):
    """uvloop without happy eyeballs.

    mqttium passes `happy_eyeballs_delay` to `create_connection`, which uvloop refuses with a TypeError;
    dropping it means that addresses of a name are tried one after the other. Use it as a loop factory:
    `asyncio.Runner(loop_factory=Loop)`.
    """

    async def create_connection(
        self,
        protocol_factory: Any,  # noqa: ANN401 - handed on to uvloop untouched
        host: Any = None,  # noqa: ANN401
        port: Any = None,  # noqa: ANN401
        *,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 - what uvloop gives, which its stubs and asyncio's do not agree on
        """As `asyncio.loop.create_connection`; the two named options are ignored."""
        del happy_eyeballs_delay, interleave
        return await super().create_connection(protocol_factory, host, port, **options)

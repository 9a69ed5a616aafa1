"""Questions and commands over MQTT: `<topic>/<what>` with a JSON object, answered on `<topic>/result`."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import orjson

from riotd.config import Connection, commands
from riotd.control.server import Handler, RefusedError
from riotd.messages import Message
from riotd.mqtt import Publisher, Subscriber

_MOST = 16
"""Commands taken at once."""
_RESULT = "result"
_WAITING = 100
"""Answers that may wait for the broker; past it the newest are left out."""


class Commands:
    """Answers what comes over a broker while it is entered and runs, one after the other.

    An answer is `{"do": …, "answer": …}` or `{"do": …, "error": "…"}`, with the `id` of the request if it had one. A
    retained message is no command. Waits for nobody: an answer that can't be sent now goes out when there is a broker.

    Args:
        connection: the broker.
        topic: in front of what is asked.
        name: the daemon's, for the client id.
        publisher: sends the answers.
        questions: handlers of what changes nothing, by name.
        orders: handlers of what does; None if they are not carried out over MQTT.
    """

    def __init__(  # noqa: PLR0913 - all by keyword
        self,
        connection: Connection,
        *,
        topic: str,
        name: str,
        publisher: Publisher,
        questions: Mapping[str, Handler],
        orders: Mapping[str, Handler] | None,
    ) -> None:
        block = commands(connection, topic)
        self._subscriber = Subscriber(block, client_id=f"riotd-{name}-control", where="control")
        self._topic, self._publisher = topic, publisher
        self._questions, self._orders = questions, orders
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_WAITING)

    async def __aenter__(self) -> Self:
        """Begin to connect, and give the broker a moment to grant the subscription: then the daemon is ready."""
        await self._subscriber.__aenter__()
        await self._subscriber.settled()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        await self._subscriber.__aexit__(kind, error, trace)

    async def run(self) -> None:
        """Answer until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(), name="control answers")
            while messages := await self._subscriber.receive(_MOST):
                for message in messages:
                    if (answer := await self._answer(message)) is not None:
                        self.tell(answer)
                self._subscriber.acknowledge([message.token for message in messages])

    def tell(self, answer: dict[str, Any]) -> None:
        """Publish this behind the answers so far."""
        if not self._answers.full():
            self._answers.put_nowait(answer)

    async def _send(self) -> None:
        while True:
            answer = await self._answers.get()
            await self._publisher.send(f"{self._topic}/{_RESULT}", orjson.dumps(answer), qos=1)

    async def _answer(self, message: Message) -> dict[str, Any] | None:
        """What there is to say to a message; None to one of our own."""
        what = message.topic.rpartition("/")[2]
        if what == _RESULT:
            return None
        try:
            request = orjson.loads(message.payload or b"{}")
        except orjson.JSONDecodeError as error:
            return {"do": what, "error": f"a request is a JSON object: {error}"}
        if not isinstance(request, dict):
            return {"do": what, "error": f"a request is a JSON object (is {type(request).__name__})"}
        who = {"id": request["id"]} if isinstance(request.get("id"), str | int) else {}
        try:
            return {"do": what, **who, "answer": await self._handler(what)(request)}
        except RefusedError as error:
            return {"do": what, **who, "error": str(error)}

    def _handler(self, what: str) -> Handler:
        """Who answers it.

        Raises:
            RefusedError: nobody does, or not over MQTT.
        """
        known = {**self._questions, **(self._orders or {})}
        if what in known:
            return known[what]
        topics = ", ".join(f"{self._topic}/{name}" for name in known)
        raise RefusedError(
            f"there is no {what!r} here: there are {topics}"
            + ("" if self._orders is not None else "; commands are taken with control: {mqtt: write}")
        )

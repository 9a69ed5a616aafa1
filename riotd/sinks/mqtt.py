"""Results and dead letters onto a broker."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from riotd import config
from riotd.formats import CONTENT_TYPES
from riotd.messages import DeadLetter, Result
from riotd.mqtt import Publisher
from riotd.sinks.letters import encode_letter
from riotd.templates import TopicTemplate


class MqttSink:
    """Results, each to the topic its template gives; keeps to `riotd.ports.Sink`. What is CBOR says so on MQTT 5.

    The publisher is somebody else's: entering and leaving the sink does nothing to it.

    Args:
        block: topic template, format, QoS, retain.
        publisher: an open connection.

    Raises:
        ValueError: the topic is no template.
    """

    def __init__(self, block: config.MqttSink, publisher: Publisher) -> None:
        self._render = TopicTemplate(block.topic).render
        self._qos, self._retain, self._publisher = block.qos, block.retain, publisher
        self._content_type = CONTENT_TYPES.get(block.format, "")
        self._sent = self._failed = self._bytes = 0

    async def __aenter__(self) -> Self:
        """Nothing to acquire."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    async def send(self, results: Sequence[Result]) -> None:
        """As `riotd.ports.Sink.send`; at QoS 0 the outside is the socket."""
        render = self._render
        pairs = [(render(r.source, r.stage, r.name, r.topic), r.payload) for r in results]
        failed = await self._publisher.send_all(
            pairs, qos=self._qos, retain=self._retain, content_type=self._content_type
        )
        self._failed += failed
        self._sent += len(pairs) - failed
        self._bytes += sum([len(payload) for _, payload in pairs])

    def counters(self) -> Mapping[str, int]:
        """Results sent, results that could never be sent, payload bytes of both."""
        return {"sent": self._sent, "failed": self._failed, "bytes": self._bytes}


class MqttRejects:
    """Dead letters as JSON to one topic; keeps to `riotd.ports.RejectSink`.

    Args:
        block: topic, over {name} and {stage}; QoS.
        publisher: an open connection, somebody else's.
        name: the daemon's.

    Raises:
        ValueError: the topic is no template.
    """

    def __init__(self, block: config.MqttRejects, publisher: Publisher, name: str) -> None:
        self._render = TopicTemplate(block.topic, ("name", "stage")).render
        self._qos, self._publisher, self._name = block.qos, publisher, name

    async def __aenter__(self) -> Self:
        """Nothing to acquire."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    async def send(self, letters: Sequence[DeadLetter]) -> None:
        """Return when the broker has them."""
        pairs = [(self._render("", letter.stage, self._name, ""), encode_letter(letter)) for letter in letters]
        await self._publisher.send_all(pairs, qos=self._qos)

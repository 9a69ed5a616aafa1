"""Where a model goes: into a file, into a store of models, and word of it to a broker."""

import asyncio
import re
import secrets
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from riot_tasks import models
from riot_tasks.errors import Unavailable
from riot_tasks.models.registry import Entry, Registry
from riot_tasks.stores import files
from riotd.config import Connection, Secret
from riotd.config.mistakes import translate
from riotd.errors import ConfigError, Mistake, TransportError
from riotd.mqtt import Loop, Publisher
from riotd.mqtt.credentials import tls_context
from riotd.mqtt.faults import probe
from riotd.training.job import Announcement
from riotd.training.learning import Model

_DIGITS = 8
"""Hexadecimal ones that tell models of one name and time apart."""
_PATIENCE = 15.0
"""Seconds to tell a broker."""


def named(model: Model) -> Model:
    """The model under a version that no other has: with digits of its own content behind it.

    The end of its training window is not enough: the same history may be learnt from with other settings.
    """
    text = models.write(replace(model, created=None))
    return replace(model, version=f"{model.version}-{sha256(text.encode()).hexdigest()[:_DIGITS]}")


def write(model: Model, path: Path) -> None:
    """Write the document to a file, at once and whole.

    Raises:
        TransportError: it can't be.
    """
    try:
        files.write(path, models.write(model).encode())
    except Unavailable as error:
        raise TransportError(str(error)) from error


def keep(model: Model, registry: Registry, *, created: float) -> Entry:
    """Put the model among those that are kept.

    Raises:
        TransportError: the store is out of reach, or does not take it.
    """
    try:
        return registry.put(model, created=created)
    except (Unavailable, ValueError) as error:
        raise TransportError(str(error)) from error


class Announcer:
    """Tells a broker of models.

    Args:
        announcement: where; by MQTT 3.1.1, which every broker speaks.

    Raises:
        ConfigError: the URL is no broker's, or the topic none.
    """

    def __init__(self, announcement: Announcement) -> None:
        self._to = announcement
        _check(announcement.topic)
        password = Secret(file=Path(announcement.password_file)) if announcement.password_file else None
        try:
            self._connection = Connection(
                url=announcement.url, protocol="3.1.1", username=announcement.username, password=password
            )
        except ValueError as error:
            mistakes = translate(error)  # type: ignore[arg-type]  # pydantic's, which only riotd.config may name
            raise ConfigError([
                Mistake(f"announce.{mistake.where}", mistake.what, mistake.remedy) for mistake in mistakes
            ]) from None

    def check(self) -> None:
        """See that somebody answers, before an hour's work.

        Raises:
            TransportError: nobody does.
        """
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(self._check())

    def tell(self, registry: Registry, entry: Entry) -> str:
        """Publish the notice of a model that is kept, for those who listen now and, retained, for those who come.

        Returns:
            The topic it was published to.

        Raises:
            TransportError: the broker does not take it, or the model can't be read again.
        """
        try:
            payload = registry.notice(entry, shadow=self._to.shadow).encode()
        except (Unavailable, ValueError) as error:
            raise TransportError(str(error)) from error
        topic = _filled(self._to.topic, kind=entry.kind, target=entry.target)
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(self._tell(topic, payload))
        return topic

    async def _check(self) -> None:
        context = await asyncio.to_thread(tls_context, self._connection, "announce")
        if fault := await probe(self._connection, context):
            raise TransportError(f"{self._connection.url}: {fault.text}")

    async def _tell(self, topic: str, payload: bytes) -> None:
        await self._check()
        refused = False
        try:
            async with (
                asyncio.timeout(_PATIENCE),
                Publisher(
                    self._connection, client_id=f"riotd-train-{secrets.token_hex(4)}", where="announce"
                ) as publisher,
            ):
                refused = not await publisher.send(topic, payload, 1, True)  # noqa: FBT003 - MQTT's own four
        except TimeoutError:
            raise TransportError(f"{self._connection.url}: no acknowledgement after {_PATIENCE:g} s") from None
        if refused:
            raise TransportError(f"{self._connection.url}: {topic} can't be published to")


def _check(topic: str) -> None:
    if not topic or set(_filled(topic, kind="kind", target="target")) & set("+#\0{}"):
        what = f"{topic!r} is no topic"
        raise ConfigError([
            Mistake("announce.topic", what, "write one like city/models/{kind}; there is {target}, too")
        ])


def _filled(topic: str, *, kind: str, target: str) -> str:
    """The topic of a model; what can't stand in a level becomes `_`."""
    return topic.replace("{kind}", kind).replace("{target}", re.sub("[/+#\0{}]", "_", target))

"""Publications on their way, and how to tell one that has to be sent again from one that never can be."""

import contextlib
from collections.abc import Sequence

from mqttium import ConnectRefusedError, MQTTError, PacketTooLargeError, ProtocolError, PublishRejectedError
from mqttium.api import Properties, PublishReceipt


class Flight:
    """One call's publications and, as they are admitted, their receipts; what was refused has its error instead."""

    def __init__(
        self, pairs: Sequence[tuple[str, bytes]], qos: int, *, retain: bool, properties: Properties | None = None
    ) -> None:
        self.pairs, self.qos, self.retain, self.properties = pairs, qos, retain, properties
        self.receipts: list[PublishReceipt | Exception] = []

    async def landed(self) -> bool:
        """Wait until all are done with; false if some must be, or were meanwhile, sent again."""
        if self.qos == 0:
            return True  # what the client took is gone; looking at each receipt cost 1 µs a message
        for receipt in reversed(self.receipts):  # the last one first: then the others are mostly done, too
            await done(receipt)
        return all(map(_over, self.receipts))

    def refusals(self) -> list[tuple[str, BaseException]]:
        """The topic and the error of those that were refused."""
        if self.qos == 0 and not any(isinstance(receipt, Exception) for receipt in self.receipts):
            return []
        pairs = zip(self.pairs, map(error_of, self.receipts), strict=True)
        return [(topic, error) for (topic, _), error in pairs if error is not None]


async def done(receipt: PublishReceipt | Exception) -> None:
    """Wait until the client is done with it, however that went."""
    if isinstance(receipt, PublishReceipt) and not receipt.is_done():
        with contextlib.suppress(MQTTError, OSError):
            await receipt.wait()


def refuses(error: BaseException) -> bool:
    """Whether this publication, not the connection, is at fault."""
    if isinstance(error, ConnectRefusedError):
        return False
    return isinstance(error, PublishRejectedError | PacketTooLargeError | ProtocolError | ValueError)


def void(receipt: PublishReceipt | Exception) -> bool:
    """Whether it has to be sent again."""
    return isinstance(receipt, PublishReceipt) and receipt.is_done() and not _over(receipt)


def error_of(receipt: PublishReceipt | Exception) -> BaseException | None:
    """Why it was refused, or None."""
    return receipt.exception() if isinstance(receipt, PublishReceipt) else receipt


def _over(receipt: PublishReceipt | Exception) -> bool:
    """Whether it has arrived or never will."""
    if not isinstance(receipt, PublishReceipt):
        return True
    if not receipt.is_done():
        return False
    error = receipt.exception()
    return error is None or refuses(error)

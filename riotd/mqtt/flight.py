"""Publications on their way, and what a broker takes of them."""

from collections.abc import Callable, Sequence

import msgspec


class Allowed(msgspec.Struct, frozen=True):
    """What a broker takes on this connection.

    Attributes:
        window: publications of QoS 1 and 2 on the way.
        largest: bytes of a packet; None is as many as MQTT can say.
        qos: the highest.
        retain: whether messages may be retained.
    """

    window: int = 65_535
    largest: int | None = None
    qos: int = 2
    retain: bool = True


class Flight:
    """Publications that were handed over together.

    Args:
        pairs: topic and payload of each.
        qos: of all of them.
        retain: whether the broker keeps the last of each topic.
        properties: as `packets.properties` gives them; empty on MQTT 3.1.1.

    Attributes:
        sent: how many have been written at least once, or refused.
        left: how many are not done with. QoS 0 is done when written, QoS 1 and 2 when acknowledged or refused.
        refused: topic and reason (MQTT 5 section 2.4) of those that can never be sent.
        landed: called when none is left.
    """

    __slots__ = ("landed", "left", "pairs", "properties", "qos", "refused", "retain", "sent")

    def __init__(
        self, pairs: Sequence[tuple[str, bytes]], qos: int = 0, *, retain: bool = False, properties: bytes = b""
    ) -> None:
        self.pairs, self.qos, self.retain, self.properties = pairs, qos, retain, properties
        self.sent, self.left = 0, len(pairs)
        self.refused: list[tuple[str, int]] = []
        self.landed: Callable[[], object] | None = None

    def settle(self, count: int = 1) -> None:
        """So many more are done with."""
        self.left -= count
        if not self.left and self.landed is not None:
            self.landed()

    def refuse(self, index: int, reason: int) -> None:
        """The broker will never take this one."""
        self.refused.append((self.pairs[index][0], reason))

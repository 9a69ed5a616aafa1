"""Messages that bear their number: by it a result can be followed back to the message, and to its line in the log."""

from collections.abc import Sequence

import orjson

from riotd.replay.player import Outbox, Pair


class Numbered:
    """An outbox that puts into each pack an entry of text with the message's number, as RIoTBench's tuples have MSGID.

    Args:
        outbox: where messages go.
        field: the entry's name.
        first: the first message's number; the others count on from it.
    """

    def __init__(self, outbox: Outbox, *, field: str, first: int) -> None:
        self._outbox, self._field, self._next = outbox, field, first

    async def send_all(self, pairs: Sequence[Pair], *, qos: int = 0) -> int:
        """As `Outbox.send_all`."""
        first, field = self._next, self._field
        self._next += len(pairs)
        bearing = [(topic, numbered(pack, field, number)) for number, (topic, pack) in enumerate(pairs, start=first)]
        return await self._outbox.send_all(bearing, qos=qos)


def numbered(pack: bytes, field: str, number: int) -> bytes:
    """The pack with one more entry; what is no pack as it is, for damaged ones are replayed too, and have a number."""
    try:
        said = orjson.loads(pack)
    except orjson.JSONDecodeError:
        return pack
    if isinstance(said, list):
        said.append({"n": field, "vs": str(number)})
    elif isinstance(said, dict) and isinstance(said.get("e"), list):
        said["e"].append({"n": field, "sv": str(number)})
    else:
        return pack
    return orjson.dumps(said)

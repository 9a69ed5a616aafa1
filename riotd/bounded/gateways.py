"""Packs in which a gateway speaks for several devices, taken apart: each device keeps its own state."""

from collections.abc import Callable

from riot_tasks import senml
from riot_tasks.errors import BadRecord


def apart(line: bytes, device: Callable[[str], str], *, now: float) -> list[tuple[str, bytes]]:
    """The devices of a pack, each with a line of its own, in their order; nothing if it is no pack.

    Args:
        line: the pack, perhaps behind a stamp, `<epoch ms>,`, which all of them keep.
        device: the device in a base name.
        now: Unix seconds that relative times refer to, where there is no stamp.
    """
    head, comma, pack = line.partition(b",")
    stamped = comma and head.isdigit()
    try:
        records = senml.records(pack if stamped else line, id=0, source="", now=int(head) / 1000 if stamped else now)
        packs = [(device(record.meta.get("bn", "")), senml.encode_record(record)) for record in records]
    except BadRecord:
        return []
    return [(key, b"%b,%b" % (head, pack) if stamped else pack) for key, pack in packs]

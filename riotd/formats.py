"""Records as bytes for a sink: SenML packs or JSON."""

from base64 import b64encode
from collections.abc import Callable

import orjson

from riot_tasks.record import Record
from riot_tasks.senml import encode_record

Encoder = Callable[[Record], bytes]


def encode_json(record: Record) -> bytes:
    """A record as one JSON object with its id, source, time, values, units and meta; no newline."""
    return orjson.dumps(
        {
            "id": record.id,
            "source": record.source,
            "time": record.time,
            "values": record.values,
            "units": record.units,
            "meta": record.meta,
        },
        default=_text,
    )


def _text(value: object) -> str:
    """Bytes as text where they are UTF-8, else base64: JSON has no bytes."""
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return b64encode(value).decode("ascii")


ENCODERS: dict[str, Encoder] = {"senml": encode_record, "json": encode_json}
"""Format name, as in the config, to its encoder; an encoder raises BadRecord or TypeError for what it can't say."""

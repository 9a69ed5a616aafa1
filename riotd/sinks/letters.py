"""Dead letters as JSON, the same wherever they are kept."""

from base64 import b64encode

import orjson

from riotd.messages import DeadLetter


def encode_letter(letter: DeadLetter) -> bytes:
    """One line of JSON: time, stage, reason, id, topic, and payload (or payload_b64 where it is not UTF-8)."""
    members = {
        "time": letter.time,
        "stage": letter.stage,
        "reason": _clean(letter.reason),
        "id": letter.id,
        "topic": _clean(letter.topic),
    }
    try:
        members["payload"] = letter.payload.decode()
    except UnicodeDecodeError:
        members["payload_b64"] = b64encode(letter.payload).decode("ascii")
    return orjson.dumps(members)


def _clean(text: str) -> str:
    """`text` without lone surrogates (file names and exceptions may carry them), which JSON can't hold."""
    return text.encode("utf-8", "replace").decode()

"""Dead letters as JSON, the same wherever they are kept."""

from base64 import b64decode, b64encode
from hashlib import blake2b
from typing import Any

import orjson

from riotd.messages import DeadLetter

_TOO_LARGE = 2**63


def encode_letter(letter: DeadLetter, *, number: int = 0, times: int = 1) -> bytes:
    """One line of JSON: time, stage, reason, id, topic, and payload (or payload_b64 where it is not UTF-8).

    Args:
        letter: what to write.
        number: of the letter in its store, in front as `letter`; 0 for none.
        times: how often its message was refused by now, with those that were sent again; said from 2 on.
    """
    members: dict[str, Any] = {"letter": number} if number else {}
    members |= {
        "time": letter.time,
        "stage": letter.stage,
        "reason": _clean(letter.reason),
        "id": letter.id,
        "topic": _clean(letter.topic),
    }
    if times > 1:
        members["times"] = times
    try:
        members["payload"] = letter.payload.decode()
    except UnicodeDecodeError:
        members["payload_b64"] = b64encode(letter.payload).decode("ascii")
    return orjson.dumps(members)


def decode_letter(line: bytes) -> tuple[DeadLetter, int, int]:
    """The letter in a line, its number (0 for none), and how often its message was refused.

    Raises:
        ValueError: the line is none.
    """
    members = orjson.loads(line)
    try:
        payload = members["payload"].encode() if "payload" in members else b64decode(members["payload_b64"])
        letter = DeadLetter(
            float(members["time"]),
            str(members["stage"]),
            str(members["reason"]),
            int(members["id"]),
            str(members["topic"]),
            payload,
        )
        number, times = int(members.get("letter", 0)), int(members.get("times", 1))
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"no dead letter: {error}") from error
    if max(map(abs, (letter.id, number, times))) >= _TOO_LARGE:
        raise ValueError("no dead letter: it has a number that JSON can't say")
    return letter, number, times


def fingerprint(letter: DeadLetter) -> str:
    """What is the same for two letters of the same message: of its topic and payload."""
    digest = blake2b(_clean(letter.topic).encode(), digest_size=12)
    digest.update(b"\0")
    digest.update(letter.payload)
    return digest.hexdigest()


def _clean(text: str) -> str:
    """`text` without lone surrogates (file names and exceptions may carry them), which JSON can't hold."""
    return text.encode("utf-8", "replace").decode()

"""Dead letters as JSON: everything is in it, and the bytes come back."""

from base64 import b64decode

import orjson
from hypothesis import given
from hypothesis import strategies as st

from riotd.letters import encode_letter
from riotd.messages import DeadLetter


@given(st.binary() | st.text().map(str.encode), st.text(st.characters()), st.text(st.characters()))
def test_the_payload_comes_back_whole(payload: bytes, reason: str, topic: str) -> None:
    """Text stays readable, other bytes are base64; either gives the payload again, on one line."""
    line = encode_letter(DeadLetter(1.5, "parse", reason, 7, topic, payload))
    letter = orjson.loads(line)
    back = letter["payload"].encode() if "payload" in letter else b64decode(letter["payload_b64"])
    assert back == payload
    assert b"\n" not in line
    assert (letter["time"], letter["stage"], letter["id"]) == (1.5, "parse", 7)


def test_lone_surrogates_do_not_stop_a_letter() -> None:
    """A file name that is not UTF-8 has them; JSON has not."""
    letter = orjson.loads(encode_letter(DeadLetter(0.0, "s", "bad \udcff", 1, "/tmp/\udcff", b"x")))
    assert (letter["reason"], letter["topic"]) == ("bad ?", "/tmp/?")

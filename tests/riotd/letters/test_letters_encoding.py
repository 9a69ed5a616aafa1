"""Dead letters as JSON: everything is in it, and the bytes come back."""

from base64 import b64decode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.letters import encode_letter
from riotd.letters.encoding import decode_letter
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


@pytest.mark.parametrize("field", ["letter", "id", "times"])
@pytest.mark.parametrize("value", ["184467440737095516162", "9223372036854775808", "null"])
def test_a_number_that_is_none_makes_no_letter(field: str, value: str) -> None:
    """What is read can be written again: a number that JSON writers don't take is refused where it is read."""
    members = {"letter": "1", "id": "7", "times": "2", field: value}
    head = ", ".join(f'"{name}": {number}' for name, number in members.items())
    with pytest.raises(ValueError, match="no dead letter"):
        decode_letter(f'{{{head}, "time": 1.5, "stage": "s", "reason": "r", "topic": "t", "payload": ""}}'.encode())

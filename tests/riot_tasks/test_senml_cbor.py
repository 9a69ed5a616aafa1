"""SenML in CBOR: the example of RFC 8428 section 6, what is read beside it, what is refused, what is written."""

import json
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import cbor2
import pytest

from riot_tasks import BadRecord, Record, Value, senml
from riot_tasks.senml import Observation

NOW = 1_700_000_000.0
EXAMPLE = bytes.fromhex("""
    87 a7 21 78 1b 75 72 6e 3a 64 65 76 3a 6f 77 3a
    31 30 65 32 30 37 33 61 30 31 30 38 30 30 36 3a
    22 fb 41 d3 03 a1 5b 00 10 62 23 61 41 20 05 00
    67 76 6f 6c 74 61 67 65 01 61 56 02 fb 40 5e 06
    66 66 66 66 66 a3 00 67 63 75 72 72 65 6e 74 06
    24 02 fb 3f f3 33 33 33 33 33 33 a3 00 67 63 75
    72 72 65 6e 74 06 23 02 fb 3f f4 cc cc cc cc cc
    cd a3 00 67 63 75 72 72 65 6e 74 06 22 02 fb 3f
    f6 66 66 66 66 66 66 a3 00 67 63 75 72 72 65 6e
    74 06 21 02 f9 3e 00 a3 00 67 63 75 72 72 65 6e
    74 06 20 02 fb 3f f9 99 99 99 99 99 9a a3 00 67
    63 75 72 72 65 6e 74 06 00 02 fb 3f fb 33 33 33
    33 33 33
""")
"""Section 6: the second example of 5.1.2, with a half-precision 1.5 in it."""
EXAMPLE_AS_JSON = b"""[
    {"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
    {"n":"current","t":-5,"v":1.2}, {"n":"current","t":-4,"v":1.3}, {"n":"current","t":-3,"v":1.4},
    {"n":"current","t":-2,"v":1.5}, {"n":"current","t":-1,"v":1.6}, {"n":"current","t":0,"v":1.7}
]"""


def read(payload: bytes) -> list[Observation]:
    return senml.decode(senml.from_cbor(payload), now=NOW)


def value_of(written: Any) -> Value:
    """What an entry with this value says."""
    return read(cbor2.dumps([{0: "a", 2: written}]))[0].value


def reason(payload: bytes) -> str:
    with pytest.raises(BadRecord) as refusal:
        read(payload)
    return str(refusal.value)


def tag(number: int, content: Any) -> cbor2.CBORTag:
    return cbor2.CBORTag(number, content)


class TestReading:
    def test_the_example_of_section_6(self) -> None:
        """The bytes printed in RFC 8428 section 6 say what the JSON of section 5.1.2 says."""
        assert read(EXAMPLE) == senml.decode(EXAMPLE_AS_JSON, now=NOW)
        assert len(read(EXAMPLE)) == 7

    def test_every_label_of_table_4(self) -> None:
        """Each integer stands for its label."""
        entries = [
            {-1: 10, -2: "dev:", -3: NOW, -4: "m", -5: 1, -6: 2, 0: "a", 1: "V", 2: 3, 5: 4, 6: 5, 7: 6},
            {0: "b", 3: "on"},
            {0: "c", 4: True},
            {0: "d", 8: b"hi"},
        ]
        assert json.loads(senml.from_cbor(cbor2.dumps(entries))) == [
            {"bver": 10, "bn": "dev:", "bt": NOW, "bu": "m", "bv": 1, "bs": 2}
            | {"n": "a", "u": "V", "v": 3, "s": 4, "t": 5, "ut": 6},
            {"n": "b", "vs": "on"},
            {"n": "c", "vb": True},
            {"n": "d", "vd": "aGk"},
        ]

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            (12.6, 12.6),
            (-3, -3),
            (2**63 - 1, 2**63 - 1),
            (2**64 - 1, float(2**64 - 1)),
            (-(10**30), -1e30),
            (tag(4, [-2, 27315]), 273.15),
            (tag(4, [-1, 3]), 0.3),
            (tag(4, [2, -5]), -500.0),
            (tag(4, [-400, 5]), 0.0),
            (tag(4, [-5, 10**20]), 1e15),
            ("12.6", 12.6),
        ],
    )
    def test_numbers(self, written: Any, value: float) -> None:
        """Integers of any length, doubles and decimal fractions are read; what 64 bits can't hold is a double."""
        assert (value_of(written), type(value_of(written))) == (value, type(value))

    @pytest.mark.parametrize(("number", "value"), [("f93e00", 1.5), ("fa4149999a", 12.600000381469727), ("1818", 24)])
    def test_short_floats(self, number: str, value: float) -> None:
        """Half and single precision floats are the doubles they equal."""
        assert read(bytes.fromhex("81a200616102" + number))[0].value == value

    def test_octets(self) -> None:
        """A data value is a byte string, any bytes."""
        (found,) = read(cbor2.dumps([{0: "a", 8: bytes(range(256))}]))
        assert found.value == bytes(range(256))

    @pytest.mark.parametrize(
        "payload",
        [
            bytes.fromhex("9fa20061610201ff"),
            bytes.fromhex("9fbf0061610201ffff"),
            bytes.fromhex("81a2007f6161ff0201"),
            bytes.fromhex("d9d9f781a20061610201"),
            cbor2.dumps([{"n": "a", "v": 1}]),
            cbor2.dumps([{0: "a", 2: 1, 99: 7, -7: 7}]),
            cbor2.dumps([{0: "a", 2: 1, "new": {"v_": [b"x", tag(35, "("), tag(28, [tag(29, 0)]), None]}}]),
        ],
        ids=["stream", "open map", "open text", "self-described", "text labels", "unknown integers", "unknown text"],
    )
    def test_what_is_read_too(self, payload: bytes) -> None:
        """Indefinite lengths, the self-describing tag, labels as text, and unknown labels with anything."""
        assert read(payload) == [Observation("a", NOW, 1)]


class TestRefusals:
    @pytest.mark.parametrize(
        ("payload", "said"),
        [
            (b"", "empty payload"),
            (EXAMPLE[:-1], "not CBOR: it ends too early"),
            (EXAMPLE + b"\0", "not CBOR: more follows after its end"),
            (EXAMPLE + EXAMPLE, "not CBOR: more follows after its end"),
            (bytes.fromhex("9fa20061610201"), "not CBOR: it ends too early"),
            (b"\x9b" + b"\xff" * 8, "not CBOR: it ends too early"),
            (b"\x81" * 100_000, "not CBOR: maximum container nesting depth (16) exceeded"),
            (b"\xff", "not CBOR: break code encountered"),
            (bytes.fromhex("81a20061ff0201"), "not CBOR: error decoding text string: 'utf-8' codec can't decode"),
            (bytes.fromhex("81a200010002"), "not CBOR: error decoding map: Duplicate map key: 0"),
            (cbor2.dumps({0: "a", 2: 1}), "not SenML: expected array, got map"),
            (cbor2.dumps({"e": [{"n": "a", "v": 1}]}), "not SenML: expected array, got map"),
            (cbor2.dumps([]), "not SenML: no entry has a value"),
            (cbor2.dumps([{0: "a", 2: 1}, 5]), "entry 1: expected map, got int"),
            (cbor2.dumps([{0: "a", 2: 1, "n": "b"}]), "entry 0: 'n': the label stands twice"),
            (cbor2.dumps([{0: "a", 2: 1, "new_": 1}]), "entry 0: 'new_': must be understood (RFC 8428 section 4.4)"),
            (cbor2.dumps([{0: "a", 2: 1, 1.5: 1}]), "entry 0: expected a label of type int or str, got float"),
            (cbor2.dumps([{True: "V", 0: "a", 2: 1}]), "entry 0: expected a label of type int or str, got bool"),
            (cbor2.dumps([{0: "a"}]), "entry 0: v: missing, and there is no vs, vb, vd or s instead"),
        ],
        ids=range(19),
    )
    def test_what_is_no_pack(self, payload: bytes, said: str) -> None:
        """What is no CBOR, or no SenML, is refused with the reason, wherever it fails."""
        assert reason(payload).startswith(said)

    @pytest.mark.parametrize(
        ("label", "value", "said"),
        [
            (2, float("nan"), "v: the number is not finite"),
            (2, float("-inf"), "v: the number is not finite"),
            (6, float("inf"), "t: the number is not finite"),
            (2, 10**400, "v: the number is larger than any double"),
            (2, tag(4, [400, 1]), "v: the number is not finite"),
            (2, tag(5, [1, 3]), "v: expected a number, a text or a boolean, got a tagged value"),
            (2, tag(28, [1]), "v: expected a number, a text or a boolean, got a tagged value"),
            (2, tag(4711, 1), "v: expected a number, a text or a boolean, got a tagged value"),
            (2, [1], "v: expected a number, a text or a boolean, got array"),
            (2, {0: 1}, "v: expected a number, a text or a boolean, got map"),
            (2, cbor2.undefined, "v: expected a number, a text or a boolean, got undefined"),
            (2, None, "v: expected int | float | str, got null"),
            (2, True, "v: expected int | float | str, got bool"),
            (3, b"on", "vs: expected a number, a text or a boolean, got bytes"),
            (3, 5, "vs: expected str, got int"),
            (4, 1, "vb: expected bool, got int"),
            (8, "aGk", "vd: expected bytes, got str"),
            (8, 5, "vd: expected str, got int"),
            (-1, 10.0, "bver: expected int, got float"),
            (-1, -1, "bver: SenML version -1 is not understood, only 1 to 10"),
        ],
    )
    def test_every_label_has_its_type(self, label: int, value: Any, said: str) -> None:
        """A value that its label can't have is refused by the label's name; NaN is no value at all."""
        assert reason(cbor2.dumps([{0: "a", 2: 1}, {0: "a", 2: 1} | {label: value}])) == f"entry 1: {said}"

    def test_decimal_fractions_of_other_shapes(self) -> None:
        """A decimal fraction is two integers."""
        for content in (5, [1], [1, 2, 3], [1.5, 2], [1, "2"], ["1", 2]):
            assert reason(cbor2.dumps([{0: "a", 2: tag(4, content)}])).startswith("not CBOR: error decoding semantic")

    @pytest.mark.parametrize("content", [[0, 2**8_000_000], [2**8_000_000, 1], [-(10**18), 1], [10**18, 1]])
    def test_numbers_as_long_as_the_payload_take_no_time(self, content: list[int]) -> None:
        """A decimal fraction of a megabyte, which would take a minute and a half to expand, is not expanded."""
        payload = cbor2.dumps([{0: "a", 2: tag(4, content)}])
        begun = time.process_time()
        with suppress(BadRecord):
            read(payload)
        assert time.process_time() - begun < 1.0

    def test_reasons_stay_short(self) -> None:
        """A reason quotes no more than a few characters of what it refuses, however long that is."""
        long = "k" * 60_000
        twice = b"\x81\xa2" + 2 * (cbor2.dumps(long) + b"\x01")
        for payload in (twice, cbor2.dumps([{0: "a", 2: 1, long + "_": 1}]), cbor2.dumps([{0: long + "!", 2: 1}])):
            assert len(reason(payload)) < 200


def test_which_of_the_two_it_is() -> None:
    """The first byte tells CBOR from JSON, and from any other text."""
    assert all(senml.is_cbor(payload) for payload in (EXAMPLE, b"\x80", b"\x9f\xff", b"\xa0", b"\xd9\xd9\xf7\x80"))
    for text in (b"", b"[", b" {", b"\xef\xbb\xbf[]", "über".encode(), "№".encode(), "😀".encode(), "ٹ".encode()):
        assert not senml.is_cbor(text)


class TestWriting:
    def test_a_pack_to_the_byte(self) -> None:
        """Labels are integers, the base fields stand first, a number is a double or an integer as it was."""
        record = Record(1, "dev7", NOW, {"t": 12.6, "n": 8}, {"t": "Cel"})
        assert senml.encode_record_cbor(record).hex(" ") == (
            "82 a5 21 65 64 65 76 37 3a 22 fb 41 d9 54 fc 40 00 00 00 00 61 74"
            " 01 63 43 65 6c 02 fb 40 29 33 33 33 33 33 33 a2 00 61 6e 02 08"
        )

    def test_octets_are_themselves(self) -> None:
        """Bytes are a byte string, not base64."""
        record = Record(1, "dev7", NOW, {"d": b"\x00\xff", "e": None})
        assert cbor2.loads(senml.encode_record_cbor(record)) == [{-2: "dev7:", -3: NOW, 0: "d", 8: b"\x00\xff"}]

    def test_a_resolved_pack(self) -> None:
        """Whole names and absolute times, in chronological order."""
        late, early = Record(1, "dev7", NOW + 1, {"x": 2}, {"x": "V"}), Record(2, "dev8", NOW, {"x": "on"})
        assert cbor2.loads(senml.encode_cbor([late, early])) == [
            {0: "dev8:x", 6: NOW, 3: "on"},
            {0: "dev7:x", 6: NOW + 1, 1: "V", 2: 2},
        ]

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({}, "no field has a value"),
            ({"a": float("nan")}, "field 'a': the number is not finite"),
            ({"a b": 1}, "field 'a b' is no SenML name"),
            ({"a": "\ud800"}, "can't be said in CBOR"),
        ],
    )
    def test_what_cannot_be_said(self, values: dict[str, Value], said: str) -> None:
        """What has no place in SenML is refused as it is in JSON."""
        with pytest.raises(BadRecord, match=said):
            senml.encode_record_cbor(Record(1, "dev7", NOW, values))


def test_who_has_json_only_does_not_load_cbor() -> None:
    """Reading and writing JSON does not import cbor2."""
    program = (
        "import sys; from riot_tasks import Record, senml; from riot_tasks.parse.senml_parse import SenmlParse\n"
        'raw = Record(1, "", 0.0, {"payload": b\'[{"n":"a","v":1}]\'})\n'
        "assert list(SenmlParse().process(raw)) and 'cbor2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

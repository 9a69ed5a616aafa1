"""What is refused, and that the reason says where and what."""

import pytest

from riot_tasks import BadRecord, senml

NOW = 1_700_000_000.0
GOOD = b'{"n":"a","v":1}'


def reason(payload: bytes) -> str:
    with pytest.raises(BadRecord) as one:
        senml.decode(payload, now=NOW)
    with pytest.raises(BadRecord) as other:
        senml.records(payload, id=1, source="", now=NOW)
    assert str(one.value) == str(other.value)
    return str(one.value)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "empty payload"),
        (b" \n", "empty payload"),
        (b"hello", "not JSON: invalid character (byte 0)"),
        (b"%s,5", "not JSON: "),
        (b'[{"n":"a","v":1}', "not JSON: "),
        (b'[{"n":"a","v":1}] tail', "not JSON: "),
        (b'[{"n":"a","v":NaN}]', "not JSON: "),
        (b'[{"n":"a","v":-Infinity}]', "not JSON: "),
        (b'[{"n":"a\xff","v":1}]', "not JSON: 'utf-8' codec"),
        (b'[{"n":"a","v":1,"x":"\xff"}]', "not JSON: 'utf-8' codec"),
        (b'[{"n":"\\ud800","v":1}]', "not JSON: "),
        (b'[{"n":"a","v":1,"x":1e400}]', "not JSON: '1e400' is not a finite number"),
        (b"[" * 100_000, "entry 0: expected object, got array"),
        (b'[{"n":"a","v":1,"x":' + b"[" * 100_000, "not SenML: nested too deeply"),
        (b'[{"n":"a","v":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "not SenML: nested too deeply"),
    ],
    ids=range(15),
)
def test_what_is_not_json(payload: bytes, said: str) -> None:
    """What is no JSON is refused as such."""
    assert reason(payload).startswith(said)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"null", "not SenML: expected object | array, got null"),
        (b"5", "not SenML: expected object | array, got int"),
        (b'"text"', "not SenML: expected object | array, got str"),
        (b"{}", "not SenML: object missing required field e"),
        (b"[]", "not SenML: no entry has a value"),
        (b'{"e":[]}', "not SenML: no entry has a value"),
        (b'[{"bn":"a"}]', "not SenML: no entry has a value"),
        (b"[%s,5]" % GOOD, "entry 1: expected object, got int"),
        (b"[%s,{}]" % GOOD, "entry 1: n: missing, and there is no base name (bn)"),
        (b'[{"v":1}]', "entry 0: n: missing, and there is no base name (bn)"),
        (b'{"e":[{"n":"a","v":1},{"v":2}]}', "entry 1: n: missing, and there is no base name (bn)"),
        (b'[%s,{"n":"b"}]' % GOOD, "entry 1: v: missing, and there is no vs, vb, vd or s instead"),
        (b'[%s,{"n":"b","u":"V","t":1}]' % GOOD, "entry 1: v: missing, and there is no vs, vb, vd or s instead"),
        (b'[{"n":"a","v":1,"vs":"x"}]', "entry 0: more than one of v, vs, vb, vd"),
        (b'[{"n":"a","v":1e400}]', "entry 0: v: number out of range"),
        (b'[{"n":"a","v":-1e400}]', "entry 0: v: number out of range"),
        (b'[{"n":"a","v":1%s}]' % (b"0" * 400), "entry 0: v: expected int <= 9223372036854775807"),
        (b'[{"n":"a","v":"1e400"}]', "entry 0: v: '1e400' is not a number"),
        (b'[{"n":"a","v":"NaN"}]', "entry 0: v: 'NaN' is not a number"),
        (b'[{"n":"a","v":"warm"}]', "entry 0: v: 'warm' is not a number"),
        (b'[{"n":"a","v":"1_000"}]', "entry 0: v: '1_000' is not a number"),
        (b'[{"bn":"a","bv":1.7e308,"v":1.7e308}]', "entry 0: v: the number is not finite"),
        (b'[{"n":"a","vd":"a+b/"}]', "entry 0: vd: not base64url (RFC 4648 section 5)"),
        (b'[{"n":"a","vd":"aGkgC"}]', "entry 0: vd: not base64url (RFC 4648 section 5)"),
    ],
)  # fmt: skip
def test_what_is_not_senml(payload: bytes, said: str) -> None:
    """JSON that is no pack is refused with the entry, the label and what is wrong with it."""
    assert reason(payload) == said


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("n", "5", "expected str, got int"),
        ("n", "null", "expected str, got null"),
        ("u", "[]", "expected str, got array"),
        ("v", "true", "expected int | float | str, got bool"),
        ("v", "null", "expected int | float | str, got null"),
        ("v", "{}", "expected int | float | str, got object"),
        ("vs", "5", "expected str, got int"),
        ("vb", "1", "expected bool, got int"),
        ("vd", "5", "expected str, got int"),
        ("s", "false", "expected int | float | str, got bool"),
        ("t", "null", "expected float | str, got null"),
        ("ut", "[1]", "expected float | str, got array"),
        ("bn", "5", "expected str, got int"),
        ("bt", "true", "expected float | str, got bool"),
        ("bu", "5", "expected str, got int"),
        ("bv", "true", "True is not a number"),
        ("bs", "null", "expected int | float | str, got null"),
        ("bver", "10.0", "expected int, got float"),
    ],
)
def test_every_label_has_its_type(label: str, value: str, said: str) -> None:
    """A label with a value of another type is refused by its name."""
    fields = {"n": '"a"', "v": "1"} | {label: value}
    entry = ",".join(f'"{each}":{content}' for each, content in fields.items())
    assert reason(f'[{{"n":"a","v":1}},{{{entry}}}]'.encode()) == f"entry 1: {label}: {said}"


@pytest.mark.parametrize("name", ["-a", ":a", "a b", "ä", "a#b", "", "a\\u0000", "a" * 300 + "!"])
def test_names_of_other_characters(name: str) -> None:
    """Whole names begin with a letter or digit and have only the characters of section 4.5.1."""
    assert reason(b'[{"n":"%s","v":1}]' % name.encode()).startswith("entry 0: n: ")


@pytest.mark.parametrize("name", ["a b", "ä", "#"])
def test_local_names_of_other_characters(name: str) -> None:
    """After a base name any of the characters may stand first, but no other."""
    assert reason(b'[{"bn":"x","n":"%s","v":1}]' % name.encode()).startswith("entry 0: n: ")
    assert senml.decode(b'[{"bn":"x","n":":-_","v":1}]', now=NOW)[0].name == "x:-_"


def test_base_names_of_other_characters() -> None:
    """A base name is the beginning of a name, and checked as one."""
    assert reason(b'[{"bn":"/x","n":"a","v":1}]').startswith("entry 0: bn: '/x' is not a SenML name")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b'[{"bver":11,"n":"a","v":1}]', "entry 0: bver: SenML version 11 is not understood, only 1 to 10"),
        (b'[{"bver":0,"n":"a","v":1}]', "entry 0: bver: SenML version 0 is not understood, only 1 to 10"),
        (b'[{"bver":5,"n":"a","v":1},{"bver":10,"n":"b","v":1}]', "entry 1: bver: version 10 in a pack of version 5"),
        (b'[{"n":"a","v":1},{"bver":5,"n":"b","v":1}]', "entry 1: bver: version 5 in a pack of version 10"),
        (b'{"e":[{"n":"a","v":1}],"ver":11}', "bver: SenML version 11 is not understood, only 1 to 10"),
    ],
)
def test_versions(payload: bytes, said: str) -> None:
    """A later version, and two versions in one pack, are refused (section 4.4)."""
    assert reason(payload) == said


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b'[{"n":"a","n":"b","v":1}]', "entry 0: 'n': the label stands twice"),
        (b'[{"n":"a","v":1},{"n":"b","v":1,"v":2}]', "entry 1: 'v': the label stands twice"),
        (b'[{"n":"a","v" :1,"v" : 2}]', "entry 0: 'v': the label stands twice"),
        (b'[{"n":"a","\\u006e":"b","v":1}]', "entry 0: 'n': the label stands twice"),
        (b'[{"bn":"a","v":1,"bn":"b"}]', "entry 0: 'bn': the label stands twice"),
        (b'[{"n":"a","v":1,"x":1,"x":2}]', "entry 0: 'x': the label stands twice"),
        (b'[{"n":"a","n":"b","vs":"\\u0022\\u0022\\u0022\\u0022"}]', "entry 0: 'n': the label stands twice"),
        (b'{"e":[{"n":"a","v":1}],"bt":1,"bt":2}', "'bt': the label stands twice"),
        (b'{"e":[{"n":"a","v":1,"v":"2"}]}', "entry 0: 'v': the label stands twice"),
    ],
)
def test_labels_that_stand_twice(payload: bytes, said: str) -> None:
    """A label twice in one object is refused however it is written: nobody can know which value was meant."""
    assert reason(payload) == said


@pytest.mark.parametrize("label", ["must_", "v_", "\\u006eew\\u005f"])
def test_labels_that_must_be_understood(label: str) -> None:
    """An unknown label that ends in _ is refused (section 4.4)."""
    said = reason(b'[{"n":"a","v":1,"%s":1}]' % label.encode())
    assert said.endswith("_': must be understood (RFC 8428 section 4.4) and is not")


def test_other_unknown_labels_are_ignored() -> None:
    """An unknown label without _ at its end changes nothing, whatever it holds."""
    plain = senml.decode(b"[%s]" % GOOD, now=NOW)
    for value in (b"1", b"null", b'"a_"', b'{"v_":[{"n":1,"n":2}]}'):
        assert senml.decode(b'[{"n":"a","v":1,"new":%s}]' % value, now=NOW) == plain


def test_texts_may_hold_what_labels_may_not() -> None:
    """Quotation marks, colons and underscores in texts are not mistaken for labels."""
    pack = b'[{"n":"a","vs":"\\"v_\\":1,\\u0022n\\u0022:2 \\u00b0C"},{"n":"b_","v":1}]'
    assert [each.value for each in senml.decode(pack, now=NOW)] == ['"v_":1,"n":2 °C', 1]


def test_reasons_stay_short() -> None:
    """A reason quotes no more than a few characters of what it refuses, however long that is."""
    long = b"x" * 100_000
    for entry in (b'"n":"%s!","v":1', b'"n":"a","v":"%s"', b'"n":"a","v":1,"%s_":1', b'"n":"a","bt":"%s","v":1'):
        assert len(reason(b"[{%s}]" % (entry % long))) < 200

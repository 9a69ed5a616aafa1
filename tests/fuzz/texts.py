"""Texts people and sensors write: packs, lines, letters, timetables, models, requests."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import cbor2
import orjson

from riot_tasks import BadRecord, Record, Task, senml
from riot_tasks.models.notices import read_notice
from riot_tasks.models.reading import read
from riotd import catalog, timetables
from riotd.control.server import Control
from riotd.formats import ENCODERS
from riotd.letters.encoding import decode_letter, encode_letter
from riotd.replay.recording import Recording
from riotd.sources.lines import LineCutter

_NOW = 1_700_000_000.0
_JSON_PACKS: tuple[Any, ...] = (
    [{"bn": "urn:dev:ow:10e2073a01080063", "bt": 1.276020076e9, "bver": 5, "n": "voltage", "u": "V", "v": 120.1},
     {"n": "current", "t": -5, "v": 1.2}, {"n": "sum", "s": 17, "ut": 60}],
    [{"bn": "d:", "bv": 20, "bs": 3, "n": "temp", "v": 0.5}, {"n": "label", "vs": "Room"}, {"n": "open", "vb": False},
     {"n": "raw", "vd": "aGkgCg"}],
    {"bt": 1422748800000, "e": [{"n": "source", "sv": "ci4x"}, {"u": "far", "n": "temperature", "v": "23.1"}]},
    [{"n": "a", "t": 2**28, "v": -1}],
)  # fmt: skip
PACKS = tuple(orjson.dumps(pack) for pack in _JSON_PACKS)
CBOR_PACKS = (
    cbor2.dumps([{-2: "d:", -3: 1.5e9, 0: "t", 1: "Cel", 2: 21.5}, {0: "s", 3: "x"}, {0: "b", 4: True}, {8: b"hi"}]),
    cbor2.dumps([{0: "n", 2: cbor2.CBORTag(4, [-2, 2150])}, {0: "i", 5: 17, 6: -5}]),
    b"\xd9\xd9\xf7" + cbor2.dumps([{0: "n", 2: 2**70}]),
    b"\x9f\xbf\x00\x7f\x61a\x61b\xff\x02\xf9\x3c\x00\xff\xff",
)  # fmt: skip
LINES = (
    *(b"1422748800000," + pack for pack in PACKS),
    *PACKS,
    b"ci4x,2015-01-15,35.2,33.8,0,0\n1,2,3\r\n\n",
    b'"a ""quoted"" cell",1.5,,x\n',
    b"<r><a v='1'>2.5</a><!-- c --><b>&lt;</b></r>",
    b'{"id":"a","time":1.5e9,"values":{"x":1},"deep":[{"y":[1,2,"z"]}]}',
)
LETTERS = tuple(
    encode_letter(letter, number=number, times=times)
    for number, times, letter in [
        (1, 1, decode_letter(b'{"time":1.5,"stage":"s","reason":"r","id":7,"topic":"t","payload":"p"}')[0]),
        (2, 3, decode_letter(b'{"time":1.5,"stage":"s","reason":"r","id":7,"topic":"t","payload_b64":"/w=="}')[0]),
    ]
)
TIMETABLES = (b"msgId,timestamp,rowstart,rowend\n1,0.5,1422748800000,1422752400000\n2,60,0,1\n", b"\xef\xbb\xbf1,2,3,4")
_LINEAR = {
    "kind": "linear_regression", "format": 1, "version": "1", "target": "fare", "features": ["a", "b"],
    "coefficients": [1.0, 2.0], "intercept": 0.5,
}  # fmt: skip
_TREE = {
    "kind": "decision_tree", "format": 1, "version": "1", "target": "c", "features": ["a"], "classes": ["x", "y"],
    "root": {"feature": "a", "threshold": 1.5, "low": {"label": "x"}, "high": {"label": "y"}},
}  # fmt: skip
_NOTICE = {
    "kind": "decision_tree", "format": 1, "model": "m/1.json", "version": "1", "target": "c", "features": ["a"],
    "sha256": sha256(b"").hexdigest(), "shadow": 5,
}  # fmt: skip
MODELS = tuple(map(orjson.dumps, (_LINEAR, _TREE, _NOTICE)))
REQUESTS = (b'{"do": "status"}\n', b'{"do": "scale", "shards": 3}\n', b"[]\n", b'{"do": ["status"]}\n')
_COLUMNS = [{"name": "a", "type": "sv"}, {"name": "timestamp"}, {"name": "x"}, {"name": "y"}]
_TASKS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("senml_parse", {"explode": True}),
    ("csv_to_senml", {"schema": _COLUMNS}),
    ("json_parse", {"arrays": "ignore", "timestamp": "time", "source": "id"}),
    ("json_parse", {}),
    ("xml_parse", {}),
    ("xml_parse", {"rows": "b"}),
    ("notice_parse", {}),
    ("riotd.bounded.parsing:JsonLine", {}),
    ("riotd.bounded.parsing:StampedSenml", {}),
)


def _made() -> list[Task]:
    made = []
    for name, params in _TASKS:
        try:
            made.append(catalog.find(name)(**params))
        except (TypeError, ValueError) as error:
            raise AssertionError(f"{name}: {error}") from error
    return made


def senml_json(data: bytes) -> str:
    """A pack; what is read of one can be written, and read again as the same."""
    try:
        records = senml.records(data, id=1, source="s", now=_NOW)
        senml.records(data, id=1, source="s", now=_NOW, explode=True)
    except BadRecord as error:
        return _refused(error)
    for record in records:
        _again(record)
    return f"{len(records)} records"


def senml_cbor(data: bytes) -> str:
    """A pack in CBOR, whatever its first byte says."""
    try:
        senml.from_cbor(data)
    except BadRecord as error:
        return _refused(error)
    return senml_json(data)


def _again(record: Record) -> None:
    """Written in every format, and read again from those that are packs."""
    for name, encode in ENCODERS.items():
        try:
            payload = encode(record)
        except (BadRecord, TypeError):
            continue
        if name.startswith("senml"):
            text = senml.from_cbor(payload) if senml.is_cbor(payload) else payload
            (same,) = senml.records(text, id=1, source=record.source, now=_NOW)
            assert same.values.keys() == record.values.keys(), f"{name}: {record} comes again as {same}"


def tasks(data: bytes) -> str:
    """Every task that reads bytes, and whatever takes what it gives."""
    said = []
    for task in _PARSERS:
        try:
            records = list(task.process(Record(1, "s", _NOW, {"payload": data})))
        except BadRecord as error:
            said.append(_refused(error)[:20])
        else:
            said.append(str(len(records)))
            for record in records:
                _written(record)
    return " ".join(said)


def _written(record: Record) -> None:
    for encode in ENCODERS.values():
        try:
            encode(record)
        except (BadRecord, TypeError):
            continue


def lines(data: bytes) -> str:
    """Pieces of a file: the same lines however it is cut, and none longer than it may be."""
    whole = _lines(data, [len(data)])
    piecemeal = _lines(data, range(1, len(data) + 1))
    assert [line for line, _ in whole] == [line for line, _ in piecemeal], f"{whole} in one piece, {piecemeal} in many"
    assert [end for _, end in whole[:-1]] == [end for _, end in piecemeal[:-1]]
    return f"{min(len(whole), 9)} lines"


def _lines(data: bytes, ends: Iterable[int]) -> list[tuple[bytes, int]]:
    cutter, found, used = LineCutter(40), [], 0
    for end in ends:
        cut = cutter.cut(data[used:end], used, final=end == len(data))
        found += list(zip(cut.lines, cut.ends, strict=True))
        used += cut.used
    assert all(begin < end for (_, begin), (_, end) in pairwise(found))
    return found


def recording(data: bytes) -> str:
    """Lines of a recorded feed."""
    read_ = Recording(Path("x"))
    found = read_._read(data.split(b"\n"), 0.0)
    return f"{min(len(found), 9)} messages, {min(read_.skipped, 9)} skipped"


def letters(data: bytes) -> str:
    """A line of a store of dead letters."""
    try:
        letter, number, times = decode_letter(data)
    except ValueError as error:
        return _refused(error)
    encode_letter(letter, number=number, times=times)
    return "a letter"


def timetable(data: bytes) -> str:
    """RIoTBench's timer files."""
    return f"{sorted({type(row).__name__ for row in timetables.rows(data)})}"


def models(data: bytes) -> str:
    """Models and notices of models; a model that is read can be used."""
    said = []
    for name, reads in (("model", read), ("notice", read_notice)):
        try:
            found = reads(data)
        except ValueError as error:
            said.append(_refused(error))
        else:
            said.append(name)
            if name == "model":
                found.scorer()  # type: ignore[union-attr]  # a model's
    return " ".join(said)


async def _status(_request: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def control(data: bytes) -> str:
    """A line over the control socket: there is always an answer, which JSON can say."""
    answering = Control(Path("x"), {"status": _status})._answer(data)
    with closing(answering):
        try:
            answering.send(None)
        except StopIteration as done:
            return f"{sorted(orjson.loads(orjson.dumps(done.value)))}"
    raise AssertionError("it waits")


def _refused(error: Exception) -> str:
    """Why, without what is different each time."""
    return "".join(character for character in str(error)[:60] if character.isalpha() or character == " ")


_PARSERS = _made()

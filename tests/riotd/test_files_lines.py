"""Cutting lines."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.sources.lines import Cut, LineCutter


def fed(cutter: LineCutter, pieces: list[bytes]) -> list[Cut]:
    """The cuts of a file that arrives in pieces: what was not used stands before the next piece."""
    cuts, rest, at = [], b"", 0
    for index, piece in enumerate(pieces):
        data = rest + piece
        cuts.append(cutter.cut(data, at, final=index == len(pieces) - 1))
        rest, at = data[cuts[-1].used :], at + cuts[-1].used
    return cuts


def pieces_of(data: bytes, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    at = sorted({0, len(data), *(chance.randrange(len(data) + 1) for _ in range(5))})
    return [data[begin:end] for begin, end in pairwise(at)] or [b""]


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").rstrip(b"\r"))), st.integers())
def test_pieces_do_not_matter(lines: list[bytes], seed: int) -> None:
    """However a file is cut into pieces, its lines are those of the whole, blank ones counted and left out."""
    data = b"".join(line + random.Random(seed).choice([b"\n", b"\r\n"]) for line in lines)
    cuts = fed(LineCutter(30), pieces_of(data, seed))
    assert [line for cut in cuts for line in cut.lines] == [line for line in lines if line]
    assert sum(cut.blank for cut in cuts) == sum(not line for line in lines)


@given(st.lists(st.integers(0, 60)), st.integers())
def test_overlong_lines_are_shortened_however_they_arrive(lengths: list[int], seed: int) -> None:
    """A line of more than `max_line` bytes gives one line, its beginning and true length; the next one is whole."""
    data = b"".join(b"%c" % (65 + index % 26) * length + b"\n" for index, length in enumerate(lengths))
    cuts = fed(LineCutter(20), pieces_of(data, seed))
    lines = [line for cut in cuts for line in cut.lines]
    expected = [(65 + index % 26, length) for index, length in enumerate(lengths) if length]
    assert len(lines) == len(expected)
    for line, (letter, length) in zip(lines, expected, strict=True):
        head = b"%c" % letter * min(length, 20)
        note = b" ... [cut: a line of %d bytes, source.max_line is 20]" % length if length > 20 else b""
        assert line == head + note
    assert sum(cut.overlong for cut in cuts) == sum(length > 20 for length in lengths)


@given(st.lists(st.binary(min_size=1, max_size=9).filter(lambda line: not set(line) & set(b"\r\n")), min_size=1))
def test_ends_are_offsets_in_the_file(lines: list[bytes]) -> None:
    """Each line's end is the offset from which reading would go on with the next line."""
    data = b"\n".join(lines) + b"\n"
    cut = LineCutter(9).cut(data, 0)
    assert [data[begin:end] for begin, end in pairwise([0, *cut.ends])] == [line + b"\n" for line in lines]


def test_unfinished_line_is_not_used() -> None:
    """What stands behind the last line end is left to the next piece."""
    assert LineCutter(100).cut(b"one\ntw", 0) == Cut([b"one"], [4], 4)


@pytest.mark.parametrize("data", [b"one\ntwo", b"one\ntwo\n", b"one\r\ntwo\r\n", b"\none\n\n\ntwo"])
def test_last_line_needs_no_line_end(data: bytes) -> None:
    """At the end of a file an unfinished line is a line."""
    assert LineCutter(100).cut(data, 0, final=True).lines == [b"one", b"two"]


def test_torn_beginning_is_passed_over() -> None:
    """A file that is read from the middle of a line begins with the next line, and the torn one is not counted."""
    cutter = LineCutter(100, torn=True)
    assert cutter.cut(b"rest of ", 50) == Cut([], [], 8)
    assert cutter.cut(b"it\nwhole\n", 58) == Cut([b"whole"], [67], 9)


def test_crlf_does_not_make_a_line_overlong() -> None:
    """A line of exactly `max_line` bytes is whole with either line end, even when its end comes in the next piece."""
    assert [line for cut in fed(LineCutter(4), [b"abcd\r", b"\nefgh\n", b""]) for line in cut.lines] == [
        b"abcd",
        b"efgh",
    ]


def test_other_separators_stay() -> None:
    """Only line feeds separate: form feeds, lone carriage returns and Unicode line ends are part of the line."""
    data = "a\x0bb\x0cc\rd\x85e\u2028f".encode()
    assert LineCutter(100).cut(data + b"\n", 0).lines == [data]


@pytest.mark.parametrize("at", range(1, 12))
def test_an_overlong_line_is_told_the_same_however_it_is_cut(at: int) -> None:
    """What stands for it must be the same when the file is read again, or it would pass for another line."""
    data = b"abcdefgh\r\nij\n"
    whole, parted = (
        [line for cut in fed(LineCutter(4), pieces) for line in cut.lines]
        for pieces in ([data, b""], [data[:at], data[at:], b""])
    )
    assert parted == whole

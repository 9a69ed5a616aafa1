"""Lines with their numbers, whatever the file."""

import gzip
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd.bounded import reading
from riotd.bounded.reading import Block, Input
from riotd.errors import TransportError


def numbered(source: Input) -> dict[int, bytes]:
    """Line number to line, blank ones left out."""
    return {number: line for first, lines, _ in source for number, line in enumerate(lines, start=first) if line}


@given(
    lines=st.lists(st.binary(max_size=20).filter(lambda line: not set(line) & set(b"\r\n\xef\x1f")), max_size=30),
    ends=st.sampled_from([b"\n", b"\r\n"]),
    last=st.sampled_from([b"", b"\n", b"\r\n"]),
    block=st.integers(1, 64),
)
def test_lines_and_numbers_do_not_depend_on_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], ends: bytes, last: bytes, block: int
) -> None:
    """Whatever is read at once, lines are what stands between line ends, numbered from 1."""
    path = tmp_path_factory.mktemp("lines") / "lines"
    path.write_bytes(ends.join(lines) + last)
    expected = {number: line for number, line in enumerate(lines, start=1) if line}
    assert numbered(Input(path, block=block)) == expected


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    """As editors on Windows write it."""
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfone\r\n\xef\xbb\xbftwo\r\n")
    assert numbered(Input(tmp_path / "a")) == {1: b"one", 2: b"\xef\xbb\xbftwo"}


def test_gzip_is_told_by_its_content(tmp_path: Path) -> None:
    """Not by the name; several members are one file."""
    (tmp_path / "a").write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert numbered(Input(tmp_path / "a")) == {1: b"one", 2: b"two"}


def test_the_head_is_read_again(tmp_path: Path) -> None:
    """A look does not use anything up."""
    (tmp_path / "a").write_bytes(b"one\ntwo\n")
    source = Input(tmp_path / "a")
    assert source.head() == [b"one", b"two"]
    assert numbered(source) == numbered(source) == {1: b"one", 2: b"two"}


def test_a_pipe_is_read_once_its_head_included(tmp_path: Path) -> None:
    """What was looked at is not lost; there is no size to show progress by."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"one\ntwo\nthree\n",))
    writer.start()
    source = Input(path, block=4)
    assert source.size is None
    assert source.head() == [b"one"]
    assert numbered(source) == {1: b"one", 2: b"two", 3: b"three"}
    writer.join()


def test_a_damaged_file_says_where(tmp_path: Path) -> None:
    """The lines before are given, then the error names file and line."""
    whole = gzip.compress(b"".join(b"line %d of many\n" % number for number in range(20_000)), mtime=0)
    (tmp_path / "torn").write_bytes(whole[: len(whole) // 2])
    blocks: list[Block] = []
    with pytest.raises(TransportError, match=r"torn: can't be read behind line \d+: Compressed file ended") as caught:
        blocks.extend(Input(tmp_path / "torn", block=1000))
    last = blocks[-1].first + len(blocks[-1].lines) - 1
    assert last > 1000
    assert f"behind line {last}" in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(TransportError, match=r"nothing: can't be read: No such file or directory"):
        Input(tmp_path / "nothing")
    with pytest.raises(TransportError, match=r"can't be read: Is a directory"):
        Input(tmp_path).head()


def test_an_overlong_line_is_cut_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its neighbours keep their numbers, and no more of it than the limit is held."""
    monkeypatch.setattr(reading, "LONGEST", 100)
    (tmp_path / "a").write_bytes(b"one\n" + b"x" * 1000 + b"\nthree\n" + b"y" * 500)
    source = Input(tmp_path / "a", block=64)
    lines = numbered(source)
    assert (lines[1], lines[3]) == (b"one", b"three")
    assert [first + len(block) - 1 for first, block, overlong in source if overlong] == [2, 4]
    assert len(lines[2]) == len(lines[4]) == 100


def test_the_position_follows_the_file(tmp_path: Path) -> None:
    """It ends at the size, of a packed file too, and never passes it."""
    lines = b"".join(b"%d %b\n" % (number, os.urandom(8).hex().encode()) for number in range(20_000))
    for name, data in (("a", lines), ("a.gz", gzip.compress(lines))):
        (tmp_path / name).write_bytes(data)
        source = Input(tmp_path / name, block=1000)
        positions = [source.position() for _ in source]
        assert positions == sorted(positions)
        assert positions[0] < positions[-1] <= len(data)
        assert source.position() == source.size == len(data)

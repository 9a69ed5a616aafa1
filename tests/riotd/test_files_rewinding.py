"""The file sink cut back to where it was."""

import logging
from pathlib import Path

import pytest

from riotd import config as cfg
from riotd.messages import Result
from riotd.ports import Rewindable
from riotd.sinks import linefile
from riotd.sinks.files import FileSink
from tests.riotd.tails import append


def sink_of(path: Path) -> FileSink:
    return FileSink(cfg.FileSink(type="file", path=path))


def results(*payloads: bytes) -> list[Result]:
    return [Result(0, number, "stage", "source", "", payload) for number, payload in enumerate(payloads)]


async def written(path: Path, before: list[bytes], since: list[bytes]) -> bytes:
    """Write something, take the position, write more; the position."""
    async with sink_of(path) as sink:
        assert isinstance(sink, Rewindable)
        await sink.send(results(*before))
        await sink.sync()
        position = sink.position()
        await sink.send(results(*since))
    return position


async def rewound(path: Path, position: bytes) -> bool:
    """Whether another life's sink could go back, after which it writes "again"."""
    async with sink_of(path) as sink:
        back = await sink.rewind(position)
        await sink.send(results(b"again"))
    return back


@pytest.mark.parametrize("before", [[], [b"one"], [b"one", b"two" * 100]])
async def test_what_came_since_is_cut_off(tmp_path: Path, before: list[bytes]) -> None:
    """The file ends where it did, goes on from there, and what was cut off is beside it."""
    path = tmp_path / "out.jsonl"
    position = await written(path, before, [b"three", b"four"])
    assert await rewound(path, position)
    assert path.read_bytes().splitlines() == [*before, b"again"]
    assert (tmp_path / "out.jsonl.cut").read_bytes() == b"three\nfour\n"
    assert not (tmp_path / "out.jsonl.cut.part").exists()


async def test_a_torn_line_is_cut_off_too(tmp_path: Path) -> None:
    """A write that a kill interrupted leaves nothing behind, not even a line end."""
    path = tmp_path / "out.jsonl"
    position = await written(path, [b"one"], [])
    with path.open("ab") as file:
        file.write(b"tor")
    assert await rewound(path, position)
    assert path.read_bytes() == b"one\nagain\n"


async def test_nothing_to_cut_leaves_what_was_cut_before(tmp_path: Path) -> None:
    """The last cut's remains stay until there are others."""
    path, aside = tmp_path / "out.jsonl", tmp_path / "out.jsonl.cut"
    position = await written(path, [b"one"], [])
    aside.write_bytes(b"precious\n")
    assert await rewound(path, position)
    assert aside.read_bytes() == b"precious\n"
    assert await rewound(path, position)
    assert aside.read_bytes() == b"again\n"


async def test_what_others_appended_is_kept(tmp_path: Path) -> None:
    """In front of the position it stays where it is; behind it, it is in the file beside."""
    path = tmp_path / "out.jsonl"
    async with sink_of(path) as sink:
        await sink.send(results(b"one"))
        append(path, b"theirs\n")
        position = sink.position()
        append(path, b"theirs too\n")
        await sink.send(results(b"two"))
    assert await rewound(path, position)
    assert path.read_bytes() == b"one\ntheirs\nagain\n"
    assert (tmp_path / "out.jsonl.cut").read_bytes() == b"theirs too\ntwo\n"


async def test_two_sinks_of_one_file_go_back_together(tmp_path: Path) -> None:
    """Neither cuts off what the other wrote before the position."""
    path = tmp_path / "out.jsonl"
    async with sink_of(path) as one, sink_of(path) as other:
        await one.send(results(b"one"))
        await other.send(results(b"other"))
        positions = one.position(), other.position()
        await one.send(results(b"since"))
    async with sink_of(path) as one, sink_of(path) as other:
        assert [await one.rewind(positions[0]), await other.rewind(positions[1])] == [True, True]
    assert path.read_bytes() == b"one\nother\n"


async def test_another_file_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that was rotated away is not cut, nor is the one in its place; the log says what it means."""
    path = tmp_path / "out.jsonl"
    position = await written(path, [b"one"], [b"two"])
    path.rename(tmp_path / "out.jsonl.1")
    path.write_bytes(b"new\n")
    assert not await rewound(path, position)
    assert path.read_bytes() == b"new\nagain\n"
    assert (tmp_path / "out.jsonl.1").read_bytes() == b"one\ntwo\n"
    twice = "what was written since the last snapshot, if anything, may be there twice"
    why = "can't be cut back to where it was: it is another file now: rotated"
    assert f"{path}: {why}; {twice}" in caplog.messages


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it has 0 bytes and had 8: truncated"),
        (b"one\n", "it has 4 bytes and had 8: truncated"),
        (b"ONE\nTWO\nTHREE\n", "what stands before byte 8 is not what stood there: truncated and written again"),
    ],
)
async def test_other_content_is_left_alone(
    tmp_path: Path, content: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that was truncated, and perhaps written again, is not cut."""
    path = tmp_path / "out.jsonl"
    position = await written(path, [b"one", b"two"], [b"three"])
    path.write_bytes(content)
    assert not await rewound(path, position)
    assert path.read_bytes() == content + b"again\n"
    assert f"can't be cut back to where it was: {why}" in caplog.text


async def test_a_cut_that_can_not_be_kept_is_not_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where no other file can be made beside it, the file stays as it is."""
    path = tmp_path / "out.jsonl"
    position = await written(path, [b"one"], [b"two"])
    (tmp_path / "out.jsonl.cut.part").mkdir()
    assert not await rewound(path, position)
    assert path.read_bytes() == b"one\ntwo\nagain\n"
    assert "Is a directory" in caplog.text


@pytest.mark.parametrize("position", [b"", b"nonsense", b"\x94\x02\x01\x01\xa0"])
async def test_a_position_of_another_kind_is_said(
    tmp_path: Path, position: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """One that can't be read leaves the file as it is."""
    path = tmp_path / "out.jsonl"
    await written(path, [b"one"], [])
    assert not await rewound(path, position)
    assert path.read_bytes() == b"one\nagain\n"
    assert "a later riotd has written down where it was" in caplog.text


async def test_the_position_is_of_the_file_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After logrotate the new file can be cut back."""
    monkeypatch.setattr(linefile, "CHECK", 0.0)
    path = tmp_path / "out.jsonl"
    async with sink_of(path) as sink:
        await sink.send(results(b"one"))
        path.rename(tmp_path / "out.jsonl.1")
        await sink.send(results(b"two"))
        position = sink.position()
        await sink.send(results(b"three"))
    assert await rewound(path, position)
    assert path.read_bytes() == b"two\nagain\n"


async def test_how_much_is_cut_off_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log tells it, and where it is."""
    caplog.set_level(logging.INFO)
    path = tmp_path / "out.jsonl"
    assert await rewound(path, await written(path, [b"one"], [b"two"]))
    assert f"{path}: cut back by the 4 bytes since the last snapshot, which are now in {path}.cut" in caplog.messages

"""The store of dead letters: bounded, numbered, whole after a crash."""

import errno
import logging
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riotd.letters import Replayed, Store, fingerprint, read_letters
from riotd.letters.replayed import Entry
from riotd.messages import DeadLetter


def letter(number: int, payload: bytes = b"{") -> DeadLetter:
    return DeadLetter(1_700_000_000.5 + number, "parse", "not JSON", number, "sensors/a", payload)


def opened(path: Path, *, size: int = 10**6, files: int = 3) -> Store:
    store = Store(path, size=size, files=files)
    store.open()
    return store


def numbers(path: Path) -> list[int]:
    return [each.number for each in read_letters(path)]


def test_letters_come_back_as_they_were(tmp_path: Path) -> None:
    """In their order, numbered from 1, binary payloads too."""
    path = tmp_path / "rejects.jsonl"
    letters = [letter(1), letter(2, b"\xff\x00"), letter(3, b"")]
    opened(path).append(letters)
    assert [(each.number, each.letter, each.times) for each in read_letters(path)] == [
        (number, each, 1) for number, each in enumerate(letters, 1)
    ]


@given(
    sizes=st.lists(st.integers(0, 3000), max_size=60),
    files=st.integers(2, 5),
    restarts=st.sets(st.integers(0, 60)),
)
@settings(max_examples=60, deadline=None)
def test_is_bounded_and_keeps_the_newest(
    sizes: list[int], files: int, restarts: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever comes, bytes and files stay within bounds; what is there is an unbroken run that ends with the last."""
    path = tmp_path_factory.mktemp("store") / "rejects.jsonl"
    store = opened(path, size=12_000, files=files)
    dropped = 0
    for index, size in enumerate(sizes):
        if index in restarts:
            store.close()
            dropped += store.dropped
            store = opened(path, size=12_000, files=files)
        store.append([letter(index, b"x" * size)])
        found = list(path.parent.iterdir())
        assert sum(each.stat().st_size for each in found) <= 12_000 + 3200
        assert len(found) <= files
    there = numbers(path)
    assert there == list(range(len(sizes) - len(there) + 1, len(sizes) + 1))
    assert dropped + store.dropped == len(sizes) - len(there)


def test_says_what_it_drops(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One warning for each file that goes, with the count."""
    store = opened(tmp_path / "r.jsonl", size=10_000, files=2)
    for number in range(4):
        store.append([letter(number, b"x" * 4000)])
    assert caplog.messages == [
        f"{tmp_path / 'r.jsonl'}: dropped the oldest dead letters to make room: 1, 4.109kB; {count} since the start"
        for count in (1, 2)
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_a_torn_line_is_removed_at_the_next_start(tmp_path: Path) -> None:
    """What a crash left of a letter was never acknowledged: it comes again, and the file has whole lines only."""
    path = tmp_path / "r.jsonl"
    opened(path).append([letter(1), letter(2)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    opened(path).append([letter(2)])
    assert path.read_bytes() == whole


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full in the middle of a letter: none of the call's is kept, and the next try keeps each once."""
    path = tmp_path / "r.jsonl"
    store, write = opened(path), os.write

    def half(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", refuse)
        return write(descriptor, data[: len(data) // 2])

    def refuse(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        store.append([letter(1), letter(2)])
    monkeypatch.undo()
    assert numbers(path) == []
    store.append([letter(1), letter(2)])
    assert numbers(path) == [1, 2]


def test_can_forget_letters_from_a_number_on(tmp_path: Path) -> None:
    """Over several files; the numbers go on from there."""
    path = tmp_path / "r.jsonl"
    store = opened(path, size=3_000, files=4)
    for number in range(1, 13):
        store.append([letter(number, b"x" * 100)])
    first = numbers(path)[0]
    store.close()
    for cut in (11, first + 1, first):
        store = opened(path, size=3_000, files=4)
        store.cut(cut)
        assert numbers(path) == list(range(first, cut))
    store.append([letter(99)])
    assert numbers(path) == [first]


def test_a_file_that_is_taken_away_is_made_anew(tmp_path: Path) -> None:
    """Somebody moves or removes it: the next letter goes into a new one, with the next number."""
    path = tmp_path / "r.jsonl"
    store = opened(path)
    store.append([letter(1)])
    path.unlink()
    store.append([letter(2)])
    assert numbers(path) == [2]


def test_lines_of_others_are_counted_or_passed_over(tmp_path: Path) -> None:
    """A letter without a number counts as the next; what is none is no letter."""
    path = tmp_path / "r.jsonl"
    path.write_bytes(b'{"time":1,"stage":"a","reason":"b","id":1,"topic":"t","payload":"x"}\nnothing\n[1]\n{}\n')
    store = opened(path)
    store.append([letter(2)])
    assert [each.letter.stage for each in read_letters(path)] == ["a", "parse"]
    assert numbers(path)[0] == 1


def test_a_letter_that_was_sent_again_and_comes_back_says_how_often(tmp_path: Path) -> None:
    """The count is by topic and payload; others are not touched by it."""
    path = tmp_path / "r.jsonl"
    store = opened(path)
    store.append([letter(1, b"again"), letter(2, b"other")])
    Replayed(path).add([Entry(1, 5.0, fingerprint(letter(1, b"again")), 1)])
    store.append([letter(3, b"again"), letter(4, b"other")])
    Replayed(path).add([Entry(3, 6.0, fingerprint(letter(3, b"again")), 2)])
    store.append([letter(5, b"again")])
    assert [(each.number, each.times, each.replayed) for each in read_letters(path)] == [
        (1, 1, 5.0),
        (2, 1, None),
        (3, 2, 6.0),
        (4, 1, None),
        (5, 3, None),
    ]


def test_a_letter_that_is_being_sent_is_known_and_not_sent_yet(tmp_path: Path) -> None:
    """A daemon that refuses the message again before its sender has noted that says how often all the same."""
    path = tmp_path / "r.jsonl"
    store, replayed = opened(path), Replayed(path)
    store.append([letter(1, b"again")])
    replayed.add([Entry(1, None, fingerprint(letter(1, b"again")), 1)])
    store.append([letter(2, b"again")])
    assert [(each.times, each.replayed) for each in read_letters(path)] == [(1, None), (2, None)]
    replayed.add([Entry(1, 5.0, fingerprint(letter(1, b"again")), 1)])
    assert [(each.times, each.replayed) for each in read_letters(path)] == [(1, 5.0), (2, None)]


def test_what_was_sent_again_is_forgotten_with_its_letter(tmp_path: Path) -> None:
    """So the file beside the store is bounded as the store is."""
    replayed = Replayed(tmp_path / "r.jsonl")
    replayed.add([Entry(number, 1.0, str(number), 1) for number in range(5)])
    replayed.add([Entry(7, 1.0, "7", 1)], oldest=3)
    assert [number for number in range(9) if Replayed(tmp_path / "r.jsonl").letter(number)] == [3, 4, 7]

"""Which message kills the daemon: found by deaths without progress, and nobody else blamed."""

import errno
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from riotd.errors import EngineError
from riotd.journal import Folder, Suspects
from riotd.messages import Message, Past


class Lives:
    """Lives on one folder, a second apart; the journal has messages 100 to 109, those below 104 are settled."""

    def __init__(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        self._path, self._now = path, 0.0

    def begin(self, *, settled: int = 104, first: int = 100, boot: str | None = None) -> Suspects:
        """The next life; whoever lets go of it without `leave` has died."""
        self._now += 1
        suspects = Suspects(Folder(self._path), self._path)
        suspects.begin(self._now, boot=boot, first=first, settled=settled, following=110)
        return suspects


class Journal:
    """A batch of 100 to 106, a tick, and 107 to 109 that went nowhere."""

    def __init__(self) -> None:
        self.left = deque((number, message(number)) for number in range(107, 110))

    def __iter__(self) -> Iterator[Past]:
        yield Past(1.0, 100, tuple(message(number) for number in range(100, 107)))
        yield Past(2.0)


def message(number: int) -> Message:
    return Message("t", str(number).encode(), 0.0)


def steps(suspects: Suspects) -> list[tuple[int, int, str]]:
    """Of each step its first message, how many it has, and what is said of it."""
    return [
        (step.first, len(step.messages), step.refusal[:6] or "alone" * step.alone) for step in suspects.steps(Journal())
    ]


@pytest.fixture
def lives(tmp_path: Path) -> Lives:
    return Lives(tmp_path / "state")


def test_a_daemon_that_gets_on_suspects_nobody(lives: Lives) -> None:
    """Deaths with progress between them, and ends in good order, are no reason to go slowly."""
    for settled in range(101, 108):
        assert steps(lives.begin(settled=settled)) == [(100, 7, ""), (0, 0, "")]
    for _ in range(9):
        lives.begin().leave()
    assert lives.begin().until == 0


def test_after_three_deaths_what_was_in_flight_is_done_one_by_one(lives: Lives) -> None:
    """Settled messages stay together; the others are alone, and those that went nowhere are done now."""
    for _ in range(3):
        assert lives.begin().until == 0
    suspects = lives.begin()
    journal = Journal()
    found = list(suspects.steps(journal))
    assert [(each.first, len(each.messages), each.alone, each.fresh) for each in found] == [
        (100, 4, False, False),
        *((number, 1, True, False) for number in (104, 105, 106)),
        (0, 0, False, False),
        *((number, 1, True, True) for number in (107, 108, 109)),
    ]
    assert {each.now for each in found} == {1.0, 2.0, 0.0}
    assert not journal.left


def test_the_one_that_was_done_at_two_deaths_in_a_row_is_refused_for_good(lives: Lives) -> None:
    """So it is cut out of its batch at every later start, also when nobody is suspected any more."""
    for _ in range(3):
        lives.begin()
    for _ in range(2):
        suspects = lives.begin()
        assert not suspects.refused
        suspects.doing(104)
        suspects.doing(0)
        suspects.doing(105)
    assert (105, 1, "killed") in steps(lives.begin())
    lives.begin(settled=110).leave()
    assert steps(lives.begin(settled=110)) == [(100, 5, ""), (105, 1, "killed"), (106, 1, ""), (0, 0, "")]
    assert lives.begin(settled=110, first=106).refused == {}, "it can come no more"


@pytest.mark.parametrize("order", [(105, 0), (105, 106), (105, 0, 105)])
def test_chance_blames_nobody(lives: Lives, order: tuple[int, ...]) -> None:
    """One death while a message was done, or two that others lie between, may have come from outside."""
    for _ in range(3):
        lives.begin()
    for number in order:
        lives.begin().doing(number)
    assert lives.begin().refused == {}


def test_the_machines_own_end_blames_nobody(lives: Lives) -> None:
    """A death is not counted if the machine was started since."""
    for boot in range(5):
        suspects = lives.begin(boot=str(boot))
        suspects.doing(105)
    assert (suspects.until, suspects.refused) == (0, {})


def test_leaving_in_good_order_clears_the_one_that_was_being_done(lives: Lives) -> None:
    """Whoever stops a daemon that waits for its store does not blame the message."""
    for _ in range(3):
        lives.begin()
    for _ in range(5):
        suspects = lives.begin()
        suspects.doing(105)
        suspects.leave()
    assert lives.begin().refused == {}


def test_when_every_message_kills_it_is_not_the_messages(lives: Lives) -> None:
    """Ten in a row refused and none done: the next start is refused instead, and says what to do."""
    for _ in range(3):
        lives.begin()
    for number in range(104, 114):
        for _ in range(2):
            lives.begin().doing(number)
    for _ in range(2):
        lives.begin().doing(114)
    with pytest.raises(EngineError, match=r"10 messages in a row killed the daemon.*remove .*suspects"):
        lives.begin()


def test_one_that_was_done_between_makes_it_the_messages_again(lives: Lives) -> None:
    """The count begins anew with each message that is done."""
    for _ in range(3):
        lives.begin()
    for number in range(104, 124):
        for _ in range(2):
            suspects = lives.begin()
            suspects.doing(90)
            suspects.doing(0)
            suspects.doing(number)
    assert len(lives.begin().refused) == 20


def test_a_disk_that_is_full_does_not_hinder_the_start(lives: Lives, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, nothing is mapped, and counting goes on when there is room again."""

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for call in ("write", "pwrite"):
        monkeypatch.setattr(os, call, refuse)
    suspects = lives.begin()
    suspects.doing(105)
    suspects.leave()
    monkeypatch.undo()
    for _ in range(3):
        assert lives.begin().until == 0
    assert lives.begin().until == 110


def test_a_file_that_cannot_be_read_costs_deaths_not_the_start(lives: Lives, tmp_path: Path) -> None:
    """Counting begins anew."""
    for _ in range(3):
        lives.begin()
    (tmp_path / "state" / "suspects").write_text("{")
    assert lives.begin().until == 0


@pytest.mark.parametrize("data", [b'{"boot":"\xff"}', b"no", b'{"x":' + b"[" * 5000])
def test_what_can_not_be_read_is_done_without(tmp_path: Path, data: bytes) -> None:
    """A damaged note of the deaths before does not keep the daemon from starting; the count begins anew."""
    lives = Lives(tmp_path)
    (tmp_path / "suspects").write_bytes(data)
    assert lives.begin().until == 0

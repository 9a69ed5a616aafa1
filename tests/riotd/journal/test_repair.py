"""A damaged journal: what is lost is named to the message, and the rest goes on."""

from struct import pack
from zlib import crc32

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riotd.journal import Checkpoint, Checkpoints, DamagedError, Dispatch, Group, Log, Mark
from riotd.journal.frames import HEADER, MAGIC
from riotd.journal.repair import MAYBE, REASON, UnrepairableError, planned, repaired
from riotd.journal.survey import message, number, surveyed
from riotd.journal.suspects import Suspects
from tests.riotd.journal.fake_disk import FailedError, FakeDisk
from tests.riotd.journal.test_log import messages, opened

START = 1000


class Desk:
    """A log of groups of three, each dispatched, and what is known of a damage."""

    def __init__(self, groups: int = 20, *, segment: int = 400) -> None:
        self.disk = FakeDisk()
        log = Log(self.disk, segment=segment)
        log.open(start=START)
        for _ in range(groups):
            rows = [(0, "t", f"payload {log.next + index}".encode(), 0) for index in range(3)]
            log.append([Group(log.next, 5.0, rows)], sync=True)
            log.append([Dispatch(log.next - 3, 3, 6.0), Mark(log.next - 3)], sync=True)
        self.before = messages(list(log.read()))

    @property
    def names(self) -> list[str]:
        """Of the journal's files, in order."""
        return sorted((name for name in self.disk.names() if name.endswith(".journal")), key=number)

    def file(self, name: str) -> bytearray:
        """A file's bytes, to be damaged."""
        return self.disk.files[self.disk._identity[name]]

    def repair(self) -> dict[int, str]:
        """Do it; who is refused."""
        plan = planned(self.disk, surveyed(self.disk))
        repaired(self.disk, plan, Suspects(self.disk, None))  # type: ignore[arg-type]  # its page is not asked for
        return plan.refused


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 120), st.sampled_from(["flip", "zero", "cut out"]))
def test_what_a_damage_costs_is_named(at: int, size: int, how: str) -> None:
    """Wherever it is damaged: after the repair it opens, all that is not named is there, and numbers have no gap."""
    desk = Desk()
    name = desk.names[at % len(desk.names)]
    data = desk.file(name)
    at %= len(data)
    stretch = data[at : at + size]
    data[at : at + size] = {"flip": bytes(each ^ 64 for each in stretch), "zero": bytes(len(stretch))}.get(how, b"")
    refused = desk.repair()
    assert [damage for damage in surveyed(desk.disk).damages if not damage.torn] == []
    after = messages(list(opened(desk.disk).read(since=START)))
    assert [each for each, _ in after] == list(range(START, START + len(after)))
    assert set(desk.before) - set(after) <= {(each, f"payload {each}".encode()) for each in refused} | torn(desk, after)
    assert all(dict(after)[each] == b"" for each in refused)
    sure = {each for each, why in refused.items() if why == REASON}
    assert sure <= {each for each, _ in desk.before} - {each for each, payload in after if payload}


def torn(desk: Desk, after: list[tuple[int, bytes]]) -> set[tuple[int, bytes]]:
    """What was behind the end: nobody can tell it from a torn tail."""
    return {(each, payload) for each, payload in desk.before if each >= START + len(after)}


def test_a_whole_journal_has_nothing_to_repair() -> None:
    """Without damage nothing is said and nothing done."""
    desk = Desk()
    survey = surveyed(desk.disk)
    assert (survey.damages, planned(desk.disk, survey).files) == ([], {})
    assert sum(segment.messages for segment in survey.segments) == len(desk.before)


def test_a_missing_file_is_noticed() -> None:
    """Where a file is gone the messages that were in it are named, and stand there refused."""
    desk = Desk()
    gone = desk.names[1]
    first, end = number(gone), number(desk.names[2])
    desk.disk.remove(gone)
    (damage,) = surveyed(desk.disk).damages
    assert (damage.why, damage.first, damage.end) == ("a file before it is missing", first, end)
    assert desk.repair() == dict.fromkeys(range(first, end), REASON)
    assert gone in desk.names


def test_a_start_refuses_where_a_needed_file_is_missing() -> None:
    """Where a file is gone whose messages are needed the log does not open; where a snapshot has them it does."""
    desk = Desk()
    first, end = number(desk.names[1]), number(desk.names[2])
    desk.disk.remove(desk.names[1])
    with pytest.raises(DamagedError, match=f"messages {first} to {end - 1} are missing before it"):
        Log(desk.disk).open(needed=START)
    Log(desk.disk).open(needed=end)
    desk.repair()
    Log(desk.disk).open(needed=START)


def test_what_a_snapshot_has_is_not_lost() -> None:
    """A damage among messages that a snapshot covers costs nothing: nobody is refused."""
    desk = Desk()
    Checkpoints(desk.disk).save(Checkpoint(START + 60, 1.0, [b""]))
    desk.file(desk.names[0])[HEADER.size + 4] ^= 1
    (damage,) = surveyed(desk.disk).damages
    assert damage.lost == 3
    assert desk.repair() == {}


def test_lost_at_the_end_the_number_is_not_known() -> None:
    """If nothing follows the lost messages, as many numbers are given up as there can have been."""
    disk = FakeDisk()
    log = opened(disk, segment=10**6)
    log.append([Group(0, 5.0, [(0, "t", b"a", 0)])], sync=True)
    begin = log.size
    log.append([Group(1, 5.0, [(0, "t", bytes(50), 0)] * 2)], sync=True)
    log.append([Dispatch(0, 2, 6.0)], sync=True)
    disk.files[disk._identity[disk.names()[0]]][begin + 30] ^= 1
    (damage,) = surveyed(disk).damages
    assert (damage.first, damage.sure) == (1, 2)
    assert damage.end >= 3
    refused = planned(disk, surveyed(disk)).refused
    assert (refused[1], refused[2]) == (REASON, MAYBE)


def test_the_damaged_file_stays() -> None:
    """The repaired file has the damaged one beside it, byte by byte."""
    desk = Desk()
    name = desk.names[0]
    desk.file(name)[HEADER.size + 4] ^= 1
    damaged = desk.disk.read(name)
    desk.repair()
    assert desk.disk.read(f"{name}.damaged") == damaged


@pytest.mark.parametrize("step", range(1, 14))
def test_a_repair_that_fails_can_be_done_again(step: int) -> None:
    """Whichever step fails, the next attempt ends as if it had been the first."""
    desk, straight = Desk(), Desk()
    for each in (desk, straight):
        each.file(each.names[1])[HEADER.size + 4] ^= 1
    expected = straight.repair()
    desk.disk.fail_at = desk.disk.operations + step
    try:
        desk.repair()
    except FailedError:
        desk.disk.fail_at = None
        desk.repair()
    assert Suspects(desk.disk, None)._read().refused == expected  # type: ignore[arg-type]  # as above
    assert messages(list(opened(desk.disk).read())) == messages(list(opened(straight.disk).read()))


def test_frames_of_a_later_riotd_are_no_damage() -> None:
    """A frame that is whole and not known is left to the riotd that wrote it."""
    desk = Desk()
    data, body = desk.file(desk.names[0]), msgspec.msgpack.encode([99, 1])
    data[0:0] = _framed(body)
    with pytest.raises(UnrepairableError, match="start the riotd that wrote it"):
        planned(desk.disk, surveyed(desk.disk))


def _framed(body: bytes) -> bytes:
    return HEADER.pack(MAGIC, len(body), crc32(body, crc32(pack("<IQ", len(body), 0))), 0) + body


def test_a_message_is_found_by_its_number() -> None:
    """Any message that is there is found with its content; another is not."""
    desk = Desk()
    assert [message(desk.disk, each).payload for each, _ in desk.before] == [payload for _, payload in desk.before]  # type: ignore[union-attr]
    assert (message(desk.disk, START - 1), message(desk.disk, START + 60)) == (None, None)

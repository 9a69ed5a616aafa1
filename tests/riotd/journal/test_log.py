"""The journal's log: what was synced is there again, whatever happens to the disk."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riotd.errors import ConfigError
from riotd.journal import DamagedError, Dispatch, Folder, Frame, Group, Log, Mark, Tick
from tests.riotd.journal.fake_disk import FakeDisk

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("group"), st.integers(1, 4), st.booleans()),
        st.tuples(st.just("dispatch"), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("mark"), st.just(0), st.booleans()),
        st.tuples(st.just("tick"), st.just(0), st.booleans()),
    ),
    min_size=1,
    max_size=30,
)


def frame_of(kind: str, count: int, log: Log) -> Frame:
    """A frame that may come next."""
    if kind == "group":
        return Group(log.next, 5.0, [(0, "t", f"payload {log.next + index}".encode(), 0) for index in range(count)])
    if kind == "dispatch":
        return Dispatch(max(log.next - count, 0), count, 6.0)
    return Mark(log.next) if kind == "mark" else Tick(7.0)


def messages(frames: Sequence[Frame]) -> list[tuple[int, bytes]]:
    """Sequence numbers and payloads in the groups."""
    return [
        (frame.first + index, payload)
        for frame in frames
        if isinstance(frame, Group)
        for index, (_, _, payload, _) in enumerate(frame.messages)
    ]


def opened(disk: FakeDisk | Folder, *, segment: int = 200) -> Log:
    log = Log(disk, segment=segment)
    log.open()
    return log


class TestCrashes:
    @given(steps=STEPS, seed=st.integers(0, 2**32))
    @settings(max_examples=300, deadline=None)
    def test_keep_what_was_synced(self, steps: list[tuple[str, int, bool]], seed: int) -> None:
        """After losing any part of what was not synced, all that was is there, in order, and nothing that never was."""
        disk = FakeDisk(seed=seed)
        log = opened(disk)
        written: list[Frame] = []
        synced = 0
        for kind, count, sync in steps:
            written.append(frame_of(kind, count, log))
            log.append([written[-1]], sync=sync)
            synced = len(written) if sync else synced
        disk.crash()
        again = opened(disk)
        found = messages(list(again.read()))
        assert found == messages(written)[: len(found)]
        assert len(found) >= len(messages(written[:synced]))
        assert again.next >= len(messages(written[:synced]))
        again.append([Group(again.next, 8.0, [(0, "t", b"after", 0)])], sync=True)
        assert messages(list(opened(disk).read()))[-1][1] == b"after"

    @given(steps=STEPS, fail=st.integers(1, 40), seed=st.integers(0, 2**32))
    @settings(max_examples=300, deadline=None)
    def test_of_an_operation_leave_nothing_behind(
        self, steps: list[tuple[str, int, bool]], fail: int, seed: int
    ) -> None:
        """Whichever operation fails, the append that is tried again is there once, and so are all others."""
        disk = FakeDisk(seed=seed)
        log = opened(disk)
        disk.fail_at = fail
        written: list[Frame] = []
        for kind, count, _ in steps:
            frame = frame_of(kind, count, log)
            try:
                log.append([frame], sync=True)
            except OSError:
                log.append([frame], sync=True)
            written.append(frame)
        disk.crash()
        assert messages(list(opened(disk).read())) == messages(written)

    def test_one_after_another_leave_out_nothing_that_was_written(self) -> None:
        """What was written and not synced is written again with the next append, however often that fails."""
        disk = FakeDisk()
        log = opened(disk, segment=10**6)
        log.append([frame_of("group", 2, log)], sync=True)
        log.append([Dispatch(0, 1, 2.0), Tick(3.0)], sync=False)
        for behind in (1, 2, 2):  # the writing; from the second time on it is behind a cut
            disk.fail_at = disk.operations + behind
            with pytest.raises(OSError, match="no space"):
                log.append([Dispatch(1, 1, 4.0)], sync=True)
        log.append([Dispatch(1, 1, 4.0)], sync=True)
        assert list(opened(disk).read())[1:] == [Dispatch(0, 1, 2.0), Tick(3.0), Dispatch(1, 1, 4.0)]


class TestDamage:
    def test_of_every_bit_is_found_or_harmless(self) -> None:
        """With any single bit turned, what was on disk and vouched for is read whole, or the log refuses to open."""
        disk = FakeDisk()
        log = opened(disk, segment=10**6)
        for _ in range(4):
            log.append([frame_of("group", 2, log)], sync=True)
        whole = messages(list(log.read()))
        (identity,) = disk.files
        size = len(disk.files[identity])
        last = size // 4 * 3
        for bit in range(size * 8):
            disk.files[identity][bit // 8] ^= 1 << bit % 8
            saved = bytes(disk.files[identity])
            try:
                found = messages(list(opened(disk, segment=10**6).read()))
            except DamagedError as error:
                assert f"byte {bit // 8 // (size // 4) * (size // 4)}" in str(error)  # noqa: PT017 - each bit may do either
            else:
                assert bit // 8 >= last, "damage before the tail passed for a torn tail"
                assert found == whole[:6]
            disk.files[identity][:] = saved
            disk.files[identity][bit // 8] ^= 1 << bit % 8

    def test_of_every_length_is_a_torn_tail(self) -> None:
        """Cut anywhere, the log opens with the frames that are whole, and goes on behind them."""
        disk = FakeDisk()
        log = opened(disk, segment=10**6)
        for _ in range(4):
            log.append([frame_of("group", 2, log)], sync=True)
        (identity,) = disk.files
        data = bytes(disk.files[identity])
        for size in range(len(data)):
            disk.files[identity][:] = data[:size]
            again = opened(disk, segment=10**6)
            whole = size // (len(data) // 4)
            assert len(messages(list(again.read()))) == whole * 2
            assert again.cut == size - whole * (len(data) // 4)
            again.append([frame_of("group", 1, again)], sync=True)
            assert len(messages(list(opened(disk, segment=10**6).read()))) == whole * 2 + 1


class TestReading:
    def test_begins_where_it_is_asked_to(self) -> None:
        """Messages from a sequence number on, groups cut; batches from there; ticks behind the batch before it."""
        disk = FakeDisk()
        log = opened(disk, segment=10**6)
        frames: list[Frame] = [
            Group(0, 1.0, [(0, "a", b"0", 0), (0, "a", b"1", 0), (1, "b", b"2", 7)]),
            Tick(1.5),
            Dispatch(0, 2, 2.0),
            Tick(2.5),
            Dispatch(2, 1, 3.0),
            Mark(2),
        ]
        log.append(frames, sync=True)
        assert list(log.read(since=2)) == [Group(2, 1.0, [(1, "b", b"2", 7)]), Tick(2.5), Dispatch(2, 1, 3.0)]
        assert (log.next, log.settled) == (3, 2)

    def test_from_within_a_batch_gives_the_rest_of_it(self) -> None:
        """What was done one by one of a batch before a snapshot is not done again; the rest is, at the time it was."""
        log = opened(FakeDisk(), segment=10**6)
        group = Group(0, 1.0, [(0, "a", b"%d" % number, 0) for number in range(4)])
        log.append([group, Dispatch(0, 3, 2.0), Dispatch(3, 1, 3.0)], sync=True)
        assert list(log.read(since=2))[1:] == [Dispatch(2, 1, 2.0), Dispatch(3, 1, 3.0)]

    def test_of_segments_that_are_not_needed_can_be_spared(self) -> None:
        """Pruning removes whole segments below a sequence number and nothing above it."""
        disk = FakeDisk()
        log = opened(disk, segment=100)
        for _ in range(20):
            log.append([frame_of("group", 1, log)], sync=True)
        log.prune(10)
        found = [number for number, _ in messages(list(log.read()))]
        assert found[-1] == 19
        assert 0 < found[0] <= 10
        assert log.first <= 10
        assert opened(disk, segment=100).next == 20

    def test_leaves_little_of_what_nobody_needs(self) -> None:
        """However large the last group was, what stays of superfluous messages is two segments at most."""
        disk = FakeDisk()
        log = opened(disk, segment=100)
        for count in (1, 50, 1):
            log.append([frame_of("group", count, log)], sync=True)
            log.prune(log.next)
            assert log.size <= 200

    def test_leaves_what_may_come_again(self) -> None:
        """The last messages are known to the next life though their segment is superfluous, and another has begun."""
        disk = FakeDisk()
        log = opened(disk, segment=100)
        while len(disk.files) < 2:
            log.append([frame_of("group", 1, log)], sync=True)
        log.prune(log.next)
        assert len(opened(disk, segment=100).tail) == log.next


class TestFolder:
    def test_keeps_a_log(self, tmp_path: Path) -> None:
        """On a real file system a log is what it was after it is opened again; a torn tail is cut off the file."""
        folder = Folder(tmp_path / "state")
        folder.lock()
        log = opened(folder)
        for _ in range(12):
            log.append([frame_of("group", 3, log)], sync=True)
        folder.close()
        last = max((tmp_path / "state").glob("*.journal"))
        size = last.stat().st_size
        with last.open("ab") as file:
            file.write(b"IOTJ torn")
        again = opened(Folder(tmp_path / "state"))
        assert len(messages(list(again.read()))) == 36
        assert (again.cut, last.stat().st_size) == (9, size)

    def test_is_for_one_daemon(self, tmp_path: Path) -> None:
        """A second one on the same folder is refused, with the first one's process number; not after it has left."""
        first, second = Folder(tmp_path), Folder(tmp_path)
        first.lock()
        with pytest.raises(ConfigError, match="is in use by process"):
            second.lock()
        first.close()
        second.lock()
        second.close()

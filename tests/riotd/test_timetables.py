from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riotd import timetables
from riotd.timetables import HEADER, Row, WrongRow, rows

SHIPPED = Path(__file__).resolve().parents[3] / "shared/riotbench-data"
GOOD = b"1,1443033000,1422748800000,1422749800000"


def test_a_file_as_riotbench_ships_it() -> None:
    """The header is passed over, the last line needs no end, and seconds become milliseconds."""
    content = f"{HEADER}\n1,1443033000,1422748800000,1422749800000\n2,1443033120,1422752400000,1422753400000".encode()
    assert rows(content) == [
        Row(2, 1, 1_443_033_000_000, 1_422_748_800_000, 1_422_749_800_000),
        Row(3, 2, 1_443_033_120_000, 1_422_752_400_000, 1_422_753_400_000),
    ]


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="RIoTBench's files are not here")
@pytest.mark.parametrize("path", sorted(SHIPPED.glob("inputFileForTimerSpout*.csv")), ids=lambda path: path.stem)
def test_all_that_riotbench_ships(path: Path) -> None:
    """Every timer file of RIoTBench is right from its first row to its last."""
    found = timetables.read(path)
    assert [type(row) for row in found] == [Row] * path.read_bytes().count(b"\n")
    assert [row.id for row in found if isinstance(row, Row)] == list(range(1, len(found) + 1))


def test_forms_of_one_file() -> None:
    """Windows' line ends, a byte order mark, blank lines, spaces, and no header make no difference to what it says."""
    plain = rows(HEADER.encode() + b"\n" + GOOD)
    said = b"\xef\xbb\xbf" + HEADER.encode() + b"\r\n\r\n 1, 1443033000 ,1422748800000,1422749800000 \r\n"
    for content in (said, GOOD, GOOD + b"\n"):
        (row,) = rows(content)
        assert isinstance(row, Row)
        assert isinstance(plain[0], Row)
        assert (row.id, row.time, row.start, row.end) == (
            plain[0].id,
            plain[0].time,
            plain[0].start,
            plain[0].end,
        )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2,3", "has 3 columns, not the 4"),
        ("x,1443033000,1,2", "msgId: must be a whole number"),
        ("1,soon,1,2", "timestamp: must be a number of seconds (is 'soon')"),
        ("1,nan,1,2", "timestamp: must be a number of seconds"),
        ("1,1e300,1,2", "timestamp: must be a number of seconds"),
        ("1,1443033000,1.5,2", "rowstart: must be a whole number of milliseconds since 1970 (is '1.5')"),
        ("1,1443033000,1,99999999999999999", "rowend: must be a whole number of milliseconds"),
        ("1,1443033000,5,5", "rowend: must be after rowstart, 5 (is 5)"),
        ("1,1443032999,1,2", "timestamp: must not be before the row above's, 1443033000 (is 1443032999)"),
        ("\u0661,1443033000,1,2", "msgId: must be a whole number"),
    ],
)
def test_wrong_rows(line: str, reason: str) -> None:
    """A wrong row says its line, what it is, and why; those around it count."""
    before, wrong, after = rows(GOOD + f"\n{line}\n".encode() + b"3,1443033001,1,2\n")
    assert isinstance(before, Row)
    assert isinstance(after, Row)
    assert isinstance(wrong, WrongRow)
    assert (wrong.line, wrong.text) == (2, line)
    assert wrong.reason.startswith(reason)


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    """Whatever a file holds, it is read, and its right rows are in the order of their times."""
    times = [row.time for row in rows(content) if isinstance(row, Row)]
    assert times == sorted(times)


def test_a_file_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the limit is refused, not read into memory."""
    monkeypatch.setattr(timetables, "MAX_BYTES", 10)
    path = tmp_path / "timers.csv"
    path.write_bytes(GOOD)
    with pytest.raises(ValueError, match="longer than 10 bytes"):
        timetables.read(path)

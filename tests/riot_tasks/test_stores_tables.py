import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from riot_tasks import Unavailable
from riot_tasks.stores import tables
from riot_tasks.stores.rows import Row, Table
from riot_tasks.stores.sqlite_table import SqliteTable
from tests.riot_tasks.store_contracts import TableContract

WRITER = """
import sys
from riot_tasks.stores.rows import Row
from riot_tasks.stores.tables import table

written = table(sys.argv[1], "sysdata")
for portion in range(10**9):
    written.upsert([Row("all", f"{portion}-{n}", {"n": n}, "dev7", portion) for n in range(200)])
    print(portion, flush=True)
"""


class TestFile(TableContract):
    @pytest.fixture
    def table(self, tmp_path: Path) -> Iterator[Table]:
        """A file that is not there yet."""
        made = SqliteTable(tmp_path / "a b.db", "sysdata")
        yield made
        made.close()


class TestMemory(TableContract):
    @pytest.fixture
    def table(self) -> Iterator[Table]:
        """Memory of the test's own."""
        made = SqliteTable(None, "sysdata")
        yield made
        made.close()


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    tables.close_all()


def test_what_was_written_survives_kill(tmp_path: Path) -> None:
    """Killed with -9 in the middle of writing, every portion that was answered is there, and each one whole."""
    url = f"sqlite://{tmp_path}/a.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    answered = [int(writer.stdout.readline()) for _ in range(20)][-1]
    writer.send_signal(signal.SIGKILL)
    answered = max([answered, *map(int, writer.stdout.read().split())])
    writer.stdout.close()
    writer.wait(10)
    with sqlite3.connect(tmp_path / "a.db") as found:
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        counts = dict(found.execute("SELECT time, count(*) FROM sysdata GROUP BY time").fetchall())
    found.close()
    assert set(counts.values()) == {200}
    assert sorted(counts)[: answered + 1] == list(range(answered + 1))
    again = tables.table(url, "sysdata")
    assert again.upsert([Row("all", "0-0", {"n": 0}, "dev7", 0.0)]) == {}
    assert len(list(again.range("all", 0.0, 1.0, most=1000))) == 200


def test_a_process_that_ends_leaves_one_file(tmp_path: Path) -> None:
    """At its end the log is folded into the file, so that the file alone may be copied."""
    program = WRITER.replace("range(10**9)", "range(3)")
    subprocess.run([sys.executable, "-c", program, f"sqlite://{tmp_path}/a.db"], check=True, timeout=60)
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_two_processes_may_write(tmp_path: Path) -> None:
    """Another process's short transactions are waited for."""
    url = f"sqlite://{tmp_path}/a.db"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    mine = tables.table(url, "sysdata")
    for number in range(20):
        mine.upsert([Row("mine", f"k{number}", {"n": number}, "", float(number))])
    writer.kill()
    writer.wait(10)
    writer.stdout.close()
    assert len(list(mine.range("mine", 0.0, 100.0, most=100))) == 20


def test_a_file_held_for_long_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction of somebody else that does not end makes it Unavailable, with nothing written of ours."""
    monkeypatch.setattr("riot_tasks.stores.sqlite_table._PATIENCE", 0.05)
    mine = tables.table(f"sqlite://{tmp_path}/a.db", "sysdata")
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=r"a\.db, table sysdata: database is locked"):
        mine.upsert([Row("all", "k", {"n": 1})])
    other.execute("ROLLBACK")
    other.close()
    assert mine.lookup([("all", "k")]) == {}
    assert mine.upsert([Row("all", "k", {"n": 1})]) == {}


def test_a_full_disk_is_unavailable_and_leaves_no_half(tmp_path: Path) -> None:
    """Where the rows do not fit, none of them is written, and once there is room they are."""
    path = tmp_path / "a.db"
    mine = SqliteTable(path, "sysdata")
    mine._connection.execute("PRAGMA max_page_count = 20")
    rows = [Row("all", f"k{number}", {"text": "x" * 500}) for number in range(500)]
    with pytest.raises(Unavailable, match="database or disk is full"):
        mine.upsert(rows)
    assert list(mine.range("all", 0.0, 1.0, most=1000)) == []
    mine._connection.execute("PRAGMA max_page_count = 100000")
    mine.upsert(rows)
    assert len(list(mine.range("all", 0.0, 1.0, most=1000))) == 500
    mine.close()


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    """Rows go to the file that has the path now, not to one that somebody took away."""
    url, path = f"sqlite://{tmp_path}/a.db", tmp_path / "a.db"
    mine = tables.table(url, "sysdata")
    mine.upsert([Row("all", "old", {"n": 1})])
    for file in tmp_path.iterdir():
        file.rename(tmp_path / file.name.replace("a.db", "away.db"))
    mine.upsert([Row("all", "new", {"n": 2})])
    with sqlite3.connect(path) as found:
        assert found.execute("SELECT key FROM sysdata").fetchall() == [("new",)]
    found.close()


def test_a_damaged_file_is_unavailable(tmp_path: Path) -> None:
    """A file that is damaged is somebody's to repair: Unavailable, and the path is named."""
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    with pytest.raises(Unavailable, match=r"a\.db, table sysdata: file is not a database"):
        tables.table(f"sqlite://{path}", "sysdata")


def test_a_row_that_can_never_be_written_is_no_reason_to_wait(tmp_path: Path) -> None:
    """What gets no better by waiting is an error of its own, and leaves nothing of its transaction."""
    mine = tables.table(f"sqlite://{tmp_path}/a.db", "sysdata")
    with pytest.raises(sqlite3.IntegrityError):
        mine.upsert([Row("all", "k", {}), Row("all", "l", {}, "", float("nan"))])
    assert mine.lookup([("all", "k")]) == {}


def test_rows_are_for_everybody_to_read(tmp_path: Path) -> None:
    """The columns are partition, key, source, time, values; the values are JSON."""
    tables.table(f"sqlite://{tmp_path}/a.db", "sysdata").upsert([Row("all", "k", {"t": 20.5, "b": b"x"}, "dev7", 1.5)])
    with sqlite3.connect(tmp_path / "a.db") as found:
        cursor = found.execute("SELECT * FROM sysdata")
        assert [column[0] for column in cursor.description] == ["partition", "key", "source", "time", "values"]
        *rest, values = cursor.fetchone()
    found.close()
    assert (rest, json.loads(values)) == (["all", "k", "dev7", 1.5], {"t": 20.5, "b": {"base64": "eA=="}})


def test_ranges_use_the_index(tmp_path: Path) -> None:
    """A range is found by its times, not by looking at every row."""
    tables.table(f"sqlite://{tmp_path}/a.db", "sysdata")
    with sqlite3.connect(tmp_path / "a.db") as found:
        plan = found.execute(
            "EXPLAIN QUERY PLAN SELECT key FROM sysdata WHERE partition = 'p' AND time >= 1 AND time < 2"
        ).fetchall()
    found.close()
    assert "sysdata_by_time (partition=? AND time>? AND time<?)" in plan[0][3]


def test_forms_of_the_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sqlite:` alone is relative to the working directory, and percent signs in a URL are undone."""
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:here.db", f"sqlite://{tmp_path}/a%20b.db", f"sqlite:////{tmp_path}/c.db"):
        tables.table(url, "sysdata").upsert([Row("all", "k", {"n": 1})])
    assert {path.name for path in tmp_path.glob("*.db")} == {"here.db", "a b.db", "c.db"}


def test_tables_of_a_file_are_apart() -> None:
    """Two tables of one store share nothing; the same name is the same table."""
    tables.table("memory://x", "one").upsert([Row("all", "k", {"n": 1})])
    assert tables.table("memory://x", "two").lookup([("all", "k")]) == {}
    assert tables.table("memory://x", "one").lookup([("all", "k")]) != {}


def test_a_column_of_the_row_itself() -> None:
    """key, source and time are columns where no value has that name."""
    row = Row("all", "k", {"time": "noon"}, "dev7", 1.5)
    assert [row.column(name) for name in ("key", "source", "time", "other")] == ["k", "dev7", "noon", None]


@pytest.mark.parametrize(
    ("url", "name", "message"),
    [
        (None, "sysdata", "store: must be a URL: sqlite:///var/lib/riotd/tables.db, memory://name, aztable://account"),
        ("postgres://x", "sysdata", "store: 'postgres://x' is no store; write one of sqlite:"),
        ("sqlite://user:secret@host/a.db", "sysdata", "store: no credentials or options in the URL"),
        ("sqlite://nohost/a.db", "sysdata", "store: sqlite://nohost/a.db names the host nohost"),
        ("sqlite:", "sysdata", "store: the URL names no path"),
        ("sqlite:///nowhere/at/all/a.db", "sysdata", "store: the folder /nowhere/at/all is not there; make it"),
        ("memory://", "sysdata", "store: the URL names no name"),
        ("memory://x", "my_table", r"table: must be 3 to 63 letters and digits, a letter first \(is 'my_table'\)"),
        ("memory://x", "a;", "table: must be 3 to 63 letters and digits"),
        ("memory://x", None, "table: must be 3 to 63 letters and digits"),
    ],
)
def test_wrong_parameters_are_refused(url: object, name: object, message: str) -> None:
    """What can't be a store or a table is refused before anything is opened, and secrets are not repeated."""
    with pytest.raises(ValueError, match="^" + message) as refusal:
        tables.check(url, name, None, reading=False)
    assert "secret" not in str(refusal.value)


def test_a_file_to_read_must_be_there(tmp_path: Path) -> None:
    """Who only reads is told at once that there is no such file, or that it is another kind of file."""
    with pytest.raises(ValueError, match=r"store: .*/a\.db is not there; write to it first, or correct the path"):
        tables.check(f"sqlite://{tmp_path}/a.db", "sysdata", None, reading=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.db").write_text("id,temperature\n")
    with pytest.raises(ValueError, match=r"store: .*/a\.db is no SQLite database"):
        tables.check(f"sqlite://{tmp_path}/a.db", "sysdata", None, reading=False)


def test_azure_needs_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account's tables without a key or a signature are refused at once, saying what to set."""
    pytest.importorskip("azure.data.tables")
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(ValueError, match="credentials: none for Azure; set AZURE_STORAGE_CONNECTION_STRING"):
        tables.check("aztable://account", "sysdata", None, reading=False)

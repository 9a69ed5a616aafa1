from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from riot_tasks import BadRecord, Record, Task, Unavailable
from riot_tasks.io.local_zip import LocalZip
from riot_tasks.io.remote_zip import RemoteZip
from riot_tasks.io.zipping import archive
from riot_tasks.stores import blobs

STORE = "memory://zips"


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    blobs.close_all()


def _record(number: int, payload: Any = b"content", source: str = "dev7") -> Record:
    return Record(number, source, number / 2, {"payload": payload}, {}, {"bn": "urn:"})


def _run(task: Task, *records: Record) -> list[Record]:
    return [result for record in records for result in task.process(record)]


def _contents(data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


class TestLocal:
    def test_every_so_many_make_a_file(self, tmp_path: Path) -> None:
        """`count` records make a zip with an entry each; the one that completes it makes the result."""
        results = _run(LocalZip(str(tmp_path), count=2), *(_record(number, f"text {number}") for number in range(1, 6)))
        assert [(result.id, result.time, result.meta) for result in results] == [
            (2, 1.0, {"bn": "urn:"}),
            (4, 2.0, {"bn": "urn:"}),
        ]
        paths = [tmp_path / "dev7-500-1-2.zip", tmp_path / "dev7-1500-3-4.zip"]
        assert [result.values for result in results] == [
            {"path": str(path), "count": 2, "size": path.stat().st_size} for path in paths
        ]
        assert _contents(paths[0].read_bytes()) == {"dev7-500-1": b"text 1", "dev7-1000-2": b"text 2"}
        assert sorted(tmp_path.iterdir()) == sorted(paths)

    def test_the_rest_is_a_smaller_file(self, tmp_path: Path) -> None:
        """At the end of a stream the entries that are left make a file, under the last one's id."""
        task = LocalZip(str(tmp_path))
        _run(task, _record(1), _record(2))
        (result,) = task.flush()
        assert (result.id, result.values["count"]) == (2, 2)
        assert [path.name for path in tmp_path.iterdir()] == ["dev7-500-1-2.zip"]
        assert list(task.flush()) == []

    def test_folders_are_made(self, tmp_path: Path) -> None:
        """The folder is made when the first file is, and those in a file's name too."""
        task = LocalZip(str(tmp_path / "a" / "b"), count=1, name="{source}/{first}")
        assert _run(task, _record(1))[0].values["path"] == str(tmp_path / "a" / "b" / "dev7" / "1.zip")

    def test_a_restored_task_makes_the_same_file(self, tmp_path: Path) -> None:
        """A run that stops in the middle of a file leaves, byte by byte, what one without a stop leaves."""
        whole, parts = LocalZip(str(tmp_path / "whole"), count=3), LocalZip(str(tmp_path / "parts"), count=3)
        _run(whole, *map(_record, range(1, 4)))
        _run(parts, *map(_record, range(1, 3)))
        again = LocalZip(str(tmp_path / "parts"), count=3)
        again.restore(parts.snapshot())
        _run(again, _record(3))
        made = [(path.name, path.read_bytes()) for path in tmp_path.glob("*/*")]
        assert made[0] == made[1]

    def test_a_full_disk_keeps_the_entries(self, tmp_path: Path) -> None:
        """Where the file can't be made it is Unavailable with the path, and the same record may complete it later."""
        task = LocalZip(str(tmp_path / "zips"), count=2)
        _run(task, _record(1))
        (tmp_path / "zips").write_text("in the way")
        before = task.snapshot()
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"zips/dev7-500-1-2\.zip can't be written: "):
                _run(task, _record(2))
        assert task.snapshot() == before
        (tmp_path / "zips").unlink()
        assert _run(task, _record(2))[0].values["count"] == 2

    def test_a_folder_must_be_one(self, tmp_path: Path) -> None:
        """A file in the folder's place is refused when the task is made."""
        (tmp_path / "file").write_text("")
        with pytest.raises(ValueError, match=r"^folder: .*/file is no folder"):
            LocalZip(str(tmp_path / "file"))


class TestRemote:
    @pytest.fixture(autouse=True)
    def _library(self) -> None:
        pytest.importorskip("obstore")

    def test_a_file_is_a_blob(self) -> None:
        """The zip is a blob of the store, and the result says where."""
        (result,) = _run(RemoteZip(STORE, count=2, name="{source}/{last}"), _record(1), _record(2))
        data = blobs.blobs(STORE).get("dev7/2.zip", max_bytes=10**6)
        assert data is not None
        assert result.values == {"blob": "dev7/2.zip", "url": f"{STORE}/dev7/2.zip", "count": 2, "size": len(data)}
        assert list(_contents(data)) == ["dev7-500-1", "dev7-1000-2"]

    def test_a_store_out_of_reach_keeps_the_entries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """While nobody answers it is Unavailable and nothing is lost."""
        monkeypatch.setenv(
            "AZURE_STORAGE_CONNECTION_STRING", "AccountName=a;AccountKey=Zm9v;BlobEndpoint=http://127.0.0.1:1/a"
        )
        task = RemoteZip("az://container", count=2)
        _run(task, _record(1))
        before = task.snapshot()
        with pytest.raises(Unavailable, match=r"az://container/dev7-500-1-2\.zip"):
            _run(task, _record(2))
        with pytest.raises(Unavailable):
            list(task.flush())
        assert task.snapshot() == before


class TestBoth:
    @pytest.fixture(params=["local", "remote"])
    def make(self, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Task]:
        """Makes a task with these parameters."""
        if request.param == "local":
            return lambda **params: LocalZip(str(tmp_path), **params)
        pytest.importorskip("obstore")
        return lambda **params: RemoteZip(STORE, **params)

    def test_bytes_bound_a_file(self, make: Callable[..., Task]) -> None:
        """A file is closed before an entry that would be too much for it, which begins the next one."""
        task = make(max_bytes=10)
        results = _run(task, _record(1, b"xxxx"), _record(2, b"xxxxxx"), _record(3, b"x"), _record(4, b"x" * 10))
        assert [(result.id, result.values["count"]) for result in results] == [(3, 2), (4, 1)]
        assert [result.values["count"] for result in task.flush()] == [1]
        with pytest.raises(BadRecord, match="payload: has 11 bytes; max_bytes is 10"):
            task.process(_record(5, b"x" * 11))

    def test_a_record_whose_file_could_have_no_name_is_refused(self, make: Callable[..., Task]) -> None:
        """It is refused itself and at once: no later record is held up by it."""
        task = make(count=2, entry="{id}")
        with pytest.raises(BadRecord, match=r"^name: .* is too long"):
            task.process(_record(1, source="x" * 190))
        assert [result.values["count"] for result in _run(task, _record(2), _record(3))] == [2]

    def test_each_may_be_a_file(self, make: Callable[..., Task]) -> None:
        """With `count: 1` every record makes a file."""
        assert [result.values["count"] for result in _run(make(count=1), _record(1), _record(2))] == [1, 1]

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"count": 0}, "count: must be a whole number from 1 to 65535"),
            ({"max_bytes": 0}, "max_bytes: must be a whole number from 1"),
            ({"field": ""}, "field: must be a field's name"),
            ({"entry": "../{source}"}, "entry: .* must not have empty levels"),
            (
                {"name": "{payload}"},
                r"name: there is no \{payload\} here; there is \{source\}, \{time\}, \{first\}, \{last\}",
            ),
        ],
    )
    def test_wrong_parameters_are_refused(
        self, make: Callable[..., Task], params: dict[str, Any], message: str
    ) -> None:
        """Each mistake is refused when the task is made, saying what to write."""
        with pytest.raises(ValueError, match="^" + message):
            make(**params)


class TestArchive:
    def test_the_same_entries_are_the_same_bytes(self) -> None:
        """An archive depends on its entries only, not on when or where it is made."""
        entries = [("a.svg", 1422748810.5, b"<svg/>" * 100), ("b.svg", 0.0, b"")]
        assert archive(entries) == archive(entries)
        assert len(archive(entries)) < 600

    def test_entries_have_their_records_time(self) -> None:
        """An entry's time is its record's, in UTC, as far as a zip can say it."""
        times = [1422748810.5, 0.0, -1e9, 1e12]
        with ZipFile(BytesIO(archive([(f"n{index}", time, b"") for index, time in enumerate(times)]))) as found:
            assert [info.date_time for info in found.infolist()] == [
                (2015, 2, 1, 0, 0, 10),
                (1980, 1, 1, 0, 0, 0),
                (1980, 1, 1, 0, 0, 0),
                (2107, 12, 31, 23, 59, 58),
            ]
            assert [info.external_attr >> 16 for info in found.infolist()] == [0o644] * 4

    def test_a_name_that_is_taken_gets_a_number(self) -> None:
        """Entries by one name are all kept, told apart by a number."""
        names = ["x/a.svg", "x/a.svg", "x/a~2.svg", "x/a.svg", "b"]
        data = archive([(name, 0.0, name.encode() + bytes([index])) for index, name in enumerate(names)])
        assert list(_contents(data)) == ["x/a.svg", "x/a~2.svg", "x/a~2~2.svg", "x/a~3.svg", "b"]

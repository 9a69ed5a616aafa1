import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Task
from riot_tasks.io.blob_download import BlobDownload
from riot_tasks.io.blob_upload import BlobUpload
from riot_tasks.record import Value
from riot_tasks.stores import blobs
from tests.riot_tasks.conftest import SAMPLE

pytest.importorskip("obstore")
STORE = "memory://tasks"
PICTURE = SAMPLE.with_name("image1.png")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    blobs.close_all()


def _held(name: str) -> bytes | None:
    return blobs.blobs(STORE).get(name, max_bytes=10**6)


def _record(number: int = 1, source: str = "dev7", **values: Value) -> Record:
    return Record(number, source, 1.5, values, dict.fromkeys(values, "unit"), {"bn": "urn:"})


def _out(task: Task, record: Record) -> list[dict[str, Value]]:
    return [result.values for result in task.process(record)]


class TestUpload:
    @pytest.mark.parametrize("content", [b"\0\xff", "Zürich", b"", ""])
    def test_bytes_and_text_become_a_blob(self, content: bytes | str) -> None:
        """A field's bytes are written as they are, a text in UTF-8; the result says where, and keeps the rest."""
        (found,) = BlobUpload(STORE, field="svg").process(_record(svg=content, step=3))
        data = content if isinstance(content, bytes) else content.encode()
        name = "dev7-1500-1"
        assert _held(name) == data
        assert found.values == {"step": 3, "blob": name, "url": f"{STORE}/{name}", "size": len(data)}
        assert (found.units, found.meta) == ({"step": "unit"}, {"bn": "urn:"})

    @pytest.mark.parametrize("content", [b"\0\xff", "text"])
    def test_the_content_may_stay(self, content: bytes | str) -> None:
        """With `keep` the result has the content too, with its unit, for a stage behind that says more about it."""
        (found,) = BlobUpload(STORE, keep=True).process(_record(payload=content))
        assert found.values["payload"] == content
        assert found.values["size"] == len(content)
        assert found.units == {"payload": "unit"}

    def test_what_it_says_is_where_download_looks(self) -> None:
        """The result of an upload is what a download with defaults takes."""
        (there,) = BlobUpload(STORE, name="models/{source}/a b.json").process(_record(payload=b"{}"))
        assert [back["payload"] for back in _out(BlobDownload(STORE), there)] == [b"{}"]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (None, "payload: holds no bytes or text$"),
            (3.5, "payload: holds no bytes or text, but a float"),
            ("\ud800", "payload: is a text that is no Unicode"),
            (b"x" * 11, "payload: has 11 bytes; max_bytes is 10"),
        ],
    )
    def test_what_holds_nothing_to_write_is_refused(self, value: Value, message: str) -> None:
        """Another kind of value, or one that is too long, is a BadRecord; nothing is written."""
        with pytest.raises(BadRecord, match="^" + message):
            BlobUpload(STORE, max_bytes=10).process(_record(payload=value))
        assert list(blobs.blobs(STORE).list()) == []

    def test_the_last_of_a_name_stays(self) -> None:
        """Of several records in hand with one name the last one's content is there, each answered with its own size."""
        task = BlobUpload(STORE, name="{source}")
        answers = task.process_many([_record(payload=b"x" * size) for size in (3, 1, 2)])
        sizes = [result.values["size"] for answer in answers if not isinstance(answer, BadRecord) for result in answer]
        assert sizes == [3, 1, 2]
        assert _held("dev7") == b"xx"


class TestUploadOfFiles:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A folder with a file, beside a file that must not be read."""
        (tmp_path / "plots" / "deep").mkdir(parents=True)
        (tmp_path / "plots" / "deep" / "a.svg").write_bytes(b"<svg/>")
        (tmp_path / "secret").write_bytes(b"secret")
        return tmp_path / "plots"

    @pytest.mark.parametrize("path", ["deep/a.svg", "deep/../deep/a.svg", b"deep/a.svg"])
    def test_a_file_that_is_named_is_uploaded(self, folder: Path, path: Value) -> None:
        """The field names a file below the folder, and stays."""
        task = BlobUpload(STORE, field="path", folder=str(folder), name="{path:base}")
        (found,) = _out(task, _record(path=path))
        assert found == {"path": path, "blob": "a.svg", "url": f"{STORE}/a.svg", "size": 6}
        assert _held("a.svg") == b"<svg/>"

    def test_a_whole_path_will_do(self, folder: Path) -> None:
        """The path that local_zip says is absolute."""
        task = BlobUpload(STORE, field="path", folder=str(folder), name="x")
        assert len(_out(task, _record(path=str(folder / "deep" / "a.svg")))) == 1

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("../secret", "path: .*/secret is not below .*/plots"),
            ("{folder}/../secret", "path: .*/secret is not below .*/plots"),
            ("/etc/passwd", "path: /etc/passwd is not below"),
            ("link", "path: .*/secret is not below"),
            ("round", "path: 'round' "),
            ("deep", "path: .*/deep is no file"),
            ("pipe", "path: .*/pipe is no file"),
            ("none.svg", "path: 'none.svg' can't be read: No such file or directory"),
            ("a\0b", "path: 'a.x00b' names no file"),
            (b"\xff", "path: .* names no file"),
            ("x" * 5000, "path: 'x+ can't be read: File name too long"),
            (None, "path: names no file"),
            (1.5, "path: names no file"),
            ("deep/a.svg", "path: .*/a.svg has 6 bytes; max_bytes is 5"),
        ],
    )
    def test_no_other_file_is_read(self, folder: Path, path: Value, message: str) -> None:
        """What leads out of the folder, also by a link, is no file, or is too long, is a BadRecord."""
        (folder / "link").symlink_to(folder.parent / "secret")
        (folder / "round").symlink_to(folder / "round")
        os.mkfifo(folder / "pipe")
        task = BlobUpload(STORE, field="path", folder=str(folder), max_bytes=5, name="x")
        value = path.replace("{folder}", str(folder)) if isinstance(path, str) else path
        with pytest.raises(BadRecord, match="^" + message):
            task.process(_record(path=value))
        assert list(blobs.blobs(STORE).list()) == []


class TestDownload:
    def test_the_blob_is_added(self) -> None:
        """The blob's bytes come into a field, beside the others, and replace what was there with its unit."""
        blobs.blobs(STORE).put("a/b", b"new")
        (found,) = BlobDownload(STORE, into="old").process(_record(blob="a/b", old=1.0))
        assert found.values == {"blob": "a/b", "old": b"new"}
        assert found.units == {"blob": "unit"}

    def test_a_raw_message_can_be_the_name(self) -> None:
        """As in RIoTBench, a message may be nothing but the name."""
        blobs.blobs(STORE).put("models/a.json", b"{}")
        assert _out(BlobDownload(STORE, name="{payload:path}"), _record(payload=b"models/a.json")) == [
            {"payload": b"{}"}
        ]

    @pytest.mark.parametrize(
        ("on_miss", "expected"),
        [("drop", []), ("pass", [{"blob": "x"}]), ("null", [{"blob": "x", "payload": None}])],
    )
    def test_a_miss(self, on_miss: str, expected: list[dict[str, Value]]) -> None:
        """`on_miss` says what becomes of a record whose blob is not there."""
        assert _out(BlobDownload(STORE, on_miss=on_miss), _record(blob="x")) == expected

    def test_a_miss_is_refused_by_default(self) -> None:
        """By default it is a BadRecord with the URL that was looked for."""
        with pytest.raises(BadRecord, match=r"^there is no blob memory://tasks/a/b$"):
            BlobDownload(STORE).process(_record(blob="a/b"))

    def test_nothing_outside_the_store_is_read(self, tmp_path: Path) -> None:
        """A name with dots finds nothing above the store's folder."""
        (tmp_path / "secret").write_bytes(b"secret")
        (tmp_path / "store").mkdir()
        task = BlobDownload((tmp_path / "store").as_uri())
        for name in ("../secret", str(tmp_path / "secret"), "%2e%2e/secret", "..\\secret"):
            with pytest.raises(BadRecord, match="there is no blob"):
                task.process(_record(blob=name))

    def test_too_long_is_refused(self) -> None:
        """A blob of more than `max_bytes` is a BadRecord."""
        blobs.blobs(STORE).put("x", b"12345")
        with pytest.raises(BadRecord, match="x has 5 bytes; max_bytes is 4"):
            BlobDownload(STORE, max_bytes=4).process(_record(blob="x"))


@pytest.mark.skipif(not PICTURE.exists(), reason="RIoTBench's data are not here")
def test_riotbenchs_picture_there_and_back(tmp_path: Path) -> None:
    """The picture that RIoTBench uploads comes back byte by byte, by way of a folder."""
    store, data = tmp_path.as_uri(), PICTURE.read_bytes()
    upload = BlobUpload(store, field="path", folder=str(PICTURE.parent), name="{path:base}")
    (there,) = upload.process(_record(path=PICTURE.name))
    assert (tmp_path / "image1.png").read_bytes() == data
    assert [back["payload"] for back in _out(BlobDownload(store), there)] == [data]


@pytest.mark.parametrize(
    ("task", "params", "message"),
    [
        (BlobUpload, {"store": "ftp://x"}, "store: 'ftp://x' is no store"),
        (BlobUpload, {"store": STORE, "name": "../{source}"}, "name: .* must not have empty levels"),
        (BlobUpload, {"store": STORE, "field": ""}, "field: must be a field's name"),
        (BlobUpload, {"store": STORE, "folder": "/nowhere"}, "folder: the folder /nowhere is not there; make it"),
        (BlobUpload, {"store": STORE, "folder": 7}, "folder: must be the path of a folder"),
        (BlobUpload, {"store": STORE, "max_bytes": 0}, "max_bytes: must be a whole number from 1"),
        (BlobUpload, {"store": STORE, "keep": 1}, "keep: must be true or false"),
        (BlobUpload, {"store": STORE, "credentials": "secret"}, "credentials: must be given by reference"),
        (BlobDownload, {"store": "memory://"}, "store: the URL names no name"),
        (BlobDownload, {"store": STORE, "into": None}, "into: must be a field's name"),
        (
            BlobDownload,
            {"store": STORE, "on_miss": "ignore"},
            "on_miss: must be 'reject' or 'drop' or 'null' or 'pass'",
        ),
    ],
)
def test_wrong_parameters_are_refused(task: type[Task], params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match="^" + message):
        task(**params)

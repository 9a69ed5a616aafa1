import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from riot_tasks import Unavailable
from riot_tasks.stores import blobs
from riot_tasks.stores.blobs import Blobs
from tests.riot_tasks.store_contracts import BlobContract

pytest.importorskip("obstore")
HTTP = "http://127.0.0.1:1"
NOWHERE = "AccountName=a;AccountKey=Zm9v;BlobEndpoint=http://127.0.0.1:1/a"


class TestFolder(BlobContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Blobs:
        """A folder that is not there yet, in one with a space."""
        return Blobs((tmp_path / "a b" / "blobs").as_uri())


class TestMemory(BlobContract):
    @pytest.fixture
    def store(self) -> Blobs:
        """Memory of the test's own."""
        return Blobs("memory://test")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    blobs.close_all()


def test_a_blob_is_a_file_of_its_name(tmp_path: Path) -> None:
    """Below `file:///folder` a blob is the file of that name, made with the folders above it."""
    Blobs(tmp_path.as_uri()).put("plots/dev7 a.svg", b"<svg/>")
    assert (tmp_path / "plots" / "dev7 a.svg").read_bytes() == b"<svg/>"


def test_no_reader_sees_half_a_file(tmp_path: Path) -> None:
    """While a large file is replaced over and over, whoever opens it finds one whole version."""
    store, path = Blobs(tmp_path.as_uri()), tmp_path / "a"
    versions = [letter * 3_000_000 for letter in (b"a", b"b")]
    store.put("a", versions[0])
    seen = set()
    writer = Thread(target=lambda: [store.put("a", versions[number % 2]) for number in range(20)])
    writer.start()
    while writer.is_alive():
        data = path.read_bytes()
        seen.add((len(data), data[:1] * len(data) == data))
    writer.join()
    assert seen == {(3_000_000, True)}


def test_the_url_of_a_blob() -> None:
    """A blob's URL is the store's and its name, fit to be opened."""
    assert Blobs("memory://x/").url("a b/ü.svg") == "memory://x/a%20b/%C3%BC.svg"


def test_one_client_for_an_address() -> None:
    """In a process the same URL is the same client, so that what is in memory is there for every task."""
    blobs.blobs("memory://x").put("a", b"1")
    assert blobs.blobs("memory://x").get("a", max_bytes=10) == b"1"
    assert blobs.blobs("memory://y").get("a", max_bytes=10) is None
    blobs.close_all()
    assert blobs.blobs("memory://x").get("a", max_bytes=10) is None


def test_a_forked_child_has_clients_of_its_own() -> None:
    """After a fork the child does not use its parent's clients."""
    store = blobs.blobs("memory://x")
    child = os.fork()
    if child == 0:
        os._exit(0 if blobs.blobs("memory://x") is not store else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("az://container", {"AZURE_STORAGE_CONNECTION_STRING": NOWHERE}),
        ("s3://bucket", {"AWS_ENDPOINT": HTTP, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}),
        ("gs://bucket", {"GOOGLE_BASE_URL": HTTP, "GOOGLE_SKIP_SIGNATURE": "true"}),
    ],
)
def test_a_closed_port_is_unavailable_soon(
    url: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that nobody answers for is Unavailable after a few tries, in seconds; the URL is named."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    store, begun = Blobs(url), time.monotonic()
    with pytest.raises(Unavailable, match=rf"^{url}/a: .*error sending request"):
        store.get("a", max_bytes=10)
    with pytest.raises(Unavailable):
        store.put("a", b"")
    assert time.monotonic() - begun < 10.0


def test_a_folder_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    """Where the disk does not let us, somebody may still put it right: Unavailable, naming the path."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(Unavailable, match="taken"):
        Blobs((tmp_path / "taken").as_uri()).put("a", b"")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (7, "store: must be a URL: file:///var/lib/riotd/blobs, memory://name, az://"),
        ("ftp://host/x", "store: 'ftp://host/x' is no store; write one of file:"),
        ("/var/lib/x", "store: '/var/lib/x' is no store; write one of file:"),
        ("file://var/lib", "store: file://var/lib names the host var; a path begins with a third slash"),
        ("file:///", "store: the URL names no path"),
        ("memory://", "store: the URL names no name; write memory://name"),
        ("az://", "store: the URL names no container"),
        ("s3:///folder", "store: the URL names no bucket; write s3://bucket"),
        ("az://container?sig=secret", "store: no credentials or options in the URL; give credentials"),
        ("s3://id:secret@bucket", "store: no credentials or options in the URL; give credentials"),
    ],
)
def test_wrong_urls_are_refused(url: object, message: str) -> None:
    """A URL that is none of ours is refused before anything is opened; secrets in it are not repeated."""
    with pytest.raises(ValueError, match="^" + message.replace("?", r"\?")) as refusal:
        blobs.check(url, None)
    assert "secret" not in str(refusal.value)


def test_an_account_must_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure without any account in the environment is refused at once, saying what to set."""
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(ValueError, match="credentials: no Azure account; set AZURE_STORAGE_CONNECTION_STRING"):
        blobs.check("az://container", None)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "a")
    blobs.check("az://container", None)


def test_without_obstore_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing, the refusal has the command."""
    monkeypatch.setattr("riot_tasks.stores.addresses.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"store: file:// needs obstore, .*; pip install 'riotd\[stores\]'"):
        blobs.check("file:///x", None)

import obstore
import pytest

from riot_tasks import Unavailable
from riot_tasks.stores import blobs
from riot_tasks.stores.blobs import Blobs
from tests.azurite.emulator import WRONG, Azurite
from tests.riot_tasks.store_contracts import BlobContract

pytestmark = pytest.mark.timeout(300)


class TestAzure(BlobContract):
    @pytest.fixture
    def store(self, container: str) -> Blobs:
        """A folder in a container of the test's own."""
        return Blobs(f"{container}/some/folder")


def test_a_container_that_is_not_there_is_unavailable(azurite: Azurite) -> None:
    """A container may be made while we wait: putting is Unavailable and says so; getting finds no blob."""
    store = Blobs("az://not-there")
    with pytest.raises(Unavailable, match=r"az://not-there/a: no such container or bucket; create it"):
        store.put("a", b"")
    assert store.get("a", max_bytes=10) is None
    azurite.make_container("not-there")
    store.put("a", b"")
    assert store.get("a", max_bytes=10) == b""


def test_a_wrong_key_is_told_and_may_be_mended(
    azurite: Azurite, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong key access is refused, which is said; once the right one is there the next try succeeds."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.connection(key=WRONG))
    with pytest.raises(Unavailable, match=r"access refused; check the credentials") as refusal:
        blobs.blobs(container).put("a", b"1")
    assert WRONG not in str(refusal.value)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.connection())
    blobs.blobs(container).put("a", b"1")
    assert blobs.blobs(container).get("a", max_bytes=10) == b"1"


def test_a_signature_stays_out_of_messages(azurite: Azurite, container: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared access signature that is refused is not repeated."""
    string = (
        f"AccountName=devstoreaccount1;BlobEndpoint={azurite.blobs};SharedAccessSignature=sv=2021-08-06&sig=c2VjcmV0"
    )
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", string)
    with pytest.raises(Unavailable, match="access refused") as refusal:
        blobs.blobs(container).get("a", max_bytes=10)
    assert "c2VjcmV0" not in str(refusal.value)


def test_a_browser_is_told_what_it_is(container: str) -> None:
    """A blob has the content type that its name speaks of."""
    store = Blobs(container)
    store.put("plots/a.svg", b"<svg/>")
    store.put("plain", b"")
    kinds = [obstore.get(store._store, name).attributes.get("Content-Type") for name in ("plots/a.svg", "plain")]
    assert kinds == ["image/svg+xml", "application/octet-stream"]

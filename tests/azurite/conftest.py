"""The emulator, one for all tests of this folder, and its account in the environment."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from riot_tasks.stores import blobs, tables
from tests.azurite.emulator import Azurite, NotInstallableError


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A running Azurite; without node and npm, or without a registry, the tests are skipped."""
    pytest.importorskip("obstore")
    pytest.importorskip("azure.data.tables")
    try:
        running = Azurite(tmp_path_factory.mktemp("azurite"))
    except NotInstallableError as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()


@pytest.fixture
def azurite(emulator: Azurite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azurite]:
    """The emulator as the environment names it; clients are closed afterwards."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", emulator.connection())
    yield emulator
    blobs.close_all()
    tables.close_all()


@pytest.fixture
def container(azurite: Azurite) -> str:
    """The URL of a container of the test's own."""
    name = f"test-{uuid4().hex}"
    azurite.make_container(name)
    return f"az://{name}"


@pytest.fixture
def account(azurite: Azurite) -> str:  # noqa: ARG001 - it sets the environment
    """The URL of the account's tables."""
    return "aztable://devstoreaccount1"

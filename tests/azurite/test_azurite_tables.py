from collections.abc import Iterator
from uuid import uuid4

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableClient

from riot_tasks import Unavailable
from riot_tasks.stores import tables
from riot_tasks.stores.rows import Row, Table
from tests.azurite.emulator import ACCOUNT, KEY, WRONG, Azurite
from tests.riot_tasks.store_contracts import TableContract

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def name() -> str:
    """A table's name of the test's own."""
    return f"t{uuid4().hex}"


@pytest.fixture
def raw(azurite: Azurite, name: str) -> Iterator[TableClient]:
    """The same table by Azure's own client."""
    with TableClient(azurite.tables, name, credential=AzureNamedKeyCredential(ACCOUNT, KEY)) as client:
        yield client


class TestAzure(TableContract):
    @pytest.fixture
    def table(self, account: str, name: str) -> Table:
        """A table that is there, and empty."""
        made = tables.table(account, name)
        made.upsert([Row("other partition", "k", {})])
        return made


def test_a_table_is_made_when_it_is_written_to(account: str, name: str) -> None:
    """Reading a table that is not there waits for it, as nobody can say what it will hold; writing makes it."""
    table = tables.table(account, name)
    with pytest.raises(Unavailable, match="The table specified does not exist"):
        table.lookup([("all", "k")])
    table.upsert([Row("all", "k", {"n": 1})])
    assert table.lookup([("all", "k")])[("all", "k")].values == {"n": 1}


def test_values_are_properties(account: str, name: str, raw: TableClient) -> None:
    """Other programs find each value as a property, names escaped as .NET does, and Source and Time."""
    tables.table(account, name).upsert([Row("all", "k", {"temperature": 20.5, "urn:dev": "x"}, "dev7", 1.5)])
    found = dict(raw.get_entity("all", "k"))
    assert found == {
        "PartitionKey": "all", "RowKey": "k", "temperature": 20.5, "urn_x003A_dev": "x", "Source": "dev7", "Time": 1.5,
    }  # fmt: skip


def test_other_peoples_tables_can_be_read(account: str, name: str, raw: TableClient) -> None:
    """An entity without our properties is a row: its properties are the values, its time is 0."""
    raw.create_table()
    raw.create_entity({"PartitionKey": "1", "RowKey": "7", "Dropoff_longitude": "-73.98", "n": 5, "Time": "noon"})
    found = tables.table(account, name).lookup([("1", "7")])[("1", "7")]
    assert found == Row("1", "7", {"Dropoff_longitude": "-73.98", "n": 5}, "", 0.0)


def test_what_azure_refuses_is_refused_alone(account: str, name: str) -> None:
    """Rows that Azure can't take, by our own look or by its answer, are named; the others are written."""
    rows = [Row("all", f"k{number}", {"n": number}, "", float(number)) for number in range(120)]
    rows[3] = Row("all", "k3", {"text": "x" * 40_000})
    rows[5] = Row("all", "k5", {f"f{number}": 1 for number in range(300)})
    rows[7] = Row("all", "not/a/key", {"n": 1})
    refused = tables.table(account, name).upsert(rows)
    assert sorted(refused) == [3, 5, 7]
    assert refused[3] == "text: 80000 bytes are more than Azure takes in a field, 65536"
    assert refused[5] == "300 fields are more than Azure takes in a row, 250"
    assert refused[7].startswith("Azure refuses it: ")
    assert len(list(tables.table(account, name).range("all", 0.0, 1000.0, most=1000))) == 117


def test_a_megabyte_at_a_time(account: str, name: str) -> None:
    """Rows that together are more than a transaction may have are written in several."""
    rows = [Row("all", f"k{number}", {f"f{n}": "x" * 30_000 for n in range(10)}) for number in range(30)]
    assert tables.table(account, name).upsert(rows) == {}
    assert len(list(tables.table(account, name).range("all", 0.0, 1.0, most=100))) == 30


def test_a_wrong_key_is_told_and_may_be_mended(
    azurite: Azurite, account: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong key access is refused, which is said; once the right one is there the next try succeeds."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.connection(key=WRONG))
    for attempt in (lambda table: table.lookup([("a", "k")]), lambda table: table.upsert([Row("a", "k", {"n": 1})])):
        with pytest.raises(Unavailable, match="access refused; check the credentials") as refusal:
            attempt(tables.table(account, name))
        assert WRONG not in str(refusal.value)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.connection())
    assert tables.table(account, name).upsert([Row("a", "k", {"n": 1})]) == {}


def test_a_closed_port_is_unavailable_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that nobody answers for is Unavailable, naming it."""
    string = f"AccountName={ACCOUNT};AccountKey={KEY};TableEndpoint=http://127.0.0.1:1/{ACCOUNT}"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", string)
    table = tables.table("aztable://devstoreaccount1", "sysdata")
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:1/devstoreaccount1, table sysdata: .*refused"):
        table.upsert([Row("all", "k", {"n": 1})])
    with pytest.raises(Unavailable):
        table.lookup([("all", "k")])
    with pytest.raises(Unavailable):
        list(table.range("all", 0.0, 1.0, most=1))
    tables.close_all()

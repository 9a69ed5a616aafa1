import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from riot_tasks import BadRecord, Record
from riot_tasks.io.blob_download import BlobDownload
from riot_tasks.io.blob_upload import BlobUpload
from riot_tasks.io.remote_zip import RemoteZip
from riot_tasks.io.table_insert import TableInsert
from riot_tasks.io.table_lookup import TableLookup
from riot_tasks.io.table_range import TableRange
from riot_tasks.stores import blobs, tables
from riot_tasks.testing import Outside, check_task
from tests.azurite.emulator import Azurite

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def table(account: str) -> dict[str, str]:
    """Parameters for a table of the test's own."""
    return {"store": account, "table": f"t{uuid4().hex}"}


def _records(count: int) -> list[Record]:
    return [
        Record(number, f"dev{number % 3}", number / 2, {"payload": f"text {number}", "n": number})
        for number in range(1, count + 1)
    ]


def _results(answers: Sequence[object]) -> Iterator[Record]:
    for answer in answers:
        assert isinstance(answer, Sequence), answer
        yield from answer


def test_up_and_down(container: str) -> None:
    """Many records' contents are uploaded side by side and come down again, each its own, in order."""
    records = _records(60)
    up = list(_results(BlobUpload(f"{container}/plots", name="{source}/{id}").process_many(records)))
    assert [result.values["blob"] for result in up][:2] == ["dev1/1", "dev2/2"]
    down = list(_results(BlobDownload(f"{container}/plots").process_many(up)))
    assert [result.values["payload"] for result in down] == [f"text {number}".encode() for number in range(1, 61)]


def test_the_last_of_a_name_stays(container: str) -> None:
    """Where records in hand have one name, the last one's content is there, though requests go side by side."""
    BlobUpload(container, name="same").process_many(_records(30))
    assert blobs.blobs(container).get("same", max_bytes=100) == b"text 30"


def test_a_zip(container: str) -> None:
    """A zip file goes to the container and is there whole."""
    task = RemoteZip(container, count=3)
    (result,) = [result for record in _records(3) for result in task.process(record)]
    data = blobs.blobs(container).get(str(result.values["blob"]), max_bytes=10**6)
    assert data is not None
    assert data[:2] == b"PK"
    assert len(data) == result.values["size"]


def test_in_and_out_of_a_table(table: dict[str, str]) -> None:
    """Rows that were inserted, twice, are found by key and by range, once."""
    insert = TableInsert(**table, key="{source}-{id}", fields=["n"])
    for _ in range(2):
        assert list(_results(insert.process_many(_records(250)))) == _records(250)
    (found,) = TableLookup(**table, key="dev1-{id}", columns={"n": "m"}).process(_records(1)[0])
    assert found.values == {"payload": "text 1", "n": 1, "m": 1}
    (history,) = TableRange(**table, unit="s").process(Record(1, "timer", 0.0, {"rowstart": 0, "rowend": 2}))
    assert json.loads(str(history.values["rows"])) == [{"time": n / 2, "n": n} for n in (1, 2, 3)]
    assert history.values["count"] == 3


def test_a_row_that_azure_refuses_is_a_dead_letter(table: dict[str, str]) -> None:
    """A value that is too long for Azure is its record's fault alone."""
    records = [*_records(2), Record(3, "dev0", 0.0, {"payload": "x" * 40_000})]
    answers = TableInsert(**table).process_many(records)
    assert [isinstance(answer, BadRecord) for answer in answers] == [False, False, True]
    assert "payload: 80000 bytes are more than Azure takes in a field" in str(answers[2])


def test_insert_keeps_the_contract_on_azure(table: dict[str, str]) -> None:
    """The public battery, over the network: a replay changes nothing, nor does a crash."""

    def look() -> list[object]:
        client = tables.table(table["store"], table["table"])
        return list(client.range("all", -1e15, 1e15, most=10**6))

    TableInsert(**table).process(_records(1)[0])
    check_task(TableInsert, [(table, _records(6))], records=40, outside=Outside(look=look))


def test_credentials_in_a_file(
    emulator: Azurite, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing in the environment, a file of NAME=value lines opens blobs and tables."""
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
    file = tmp_path / "azure.env"
    file.write_text(f"AZURE_STORAGE_CONNECTION_STRING={emulator.connection()}\n")
    reference = {"file": str(file)}
    record = _records(1)[0]
    assert len(list(BlobUpload(container, credentials=reference).process(record))) == 1
    insert = TableInsert("aztable://devstoreaccount1", table=f"t{uuid4().hex}", credentials=reference)
    assert list(insert.process(record)) == [record]

"""What every kind of store does, as tests; a subclass says where its store is."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from riot_tasks import BadRecord
from riot_tasks.stores.blobs import Blobs
from riot_tasks.stores.rows import Row, Table

MANY = 250


class BlobContract:
    """Needs a fixture `store`, an empty Blobs."""

    def test_what_was_put_is_got(self, store: Blobs) -> None:
        """A blob comes back byte by byte, under names with levels, spaces and other scripts."""
        contents = {"a": b"", "folder/deeper/b c.txt": b"\0\xff text", "Zürich/湿度.json": b"{}"}
        for name, data in contents.items():
            store.put(name, data)
        assert {name: store.get(name, max_bytes=100) for name in contents} == contents

    def test_a_large_one_too(self, store: Blobs) -> None:
        """12 MB, more than goes in one request, are put and got whole."""
        data = bytes(range(256)) * 48_000
        store.put("large", data)
        assert store.get("large", max_bytes=len(data)) == data

    def test_putting_again_replaces(self, store: Blobs) -> None:
        """The last put counts, also a shorter one."""
        store.put("a", b"first and long")
        store.put("a", b"second")
        assert store.get("a", max_bytes=100) == b"second"

    def test_what_is_not_there_is_none(self, store: Blobs) -> None:
        """A blob that is not there is None, and so is a folder; `exists` says the same."""
        store.put("folder/a", b"x")
        assert [store.get(name, max_bytes=100) for name in ("b", "folder", "folder/a/b")] == [None, None, None]
        assert [store.exists(name) for name in ("folder/a", "b", "folder")] == [True, False, False]

    def test_a_longer_one_is_refused(self, store: Blobs) -> None:
        """A blob of exactly `max_bytes` is got, a longer one is a BadRecord that says both lengths."""
        store.put("a", b"x" * 101)
        assert store.get("a", max_bytes=101) == b"x" * 101
        with pytest.raises(BadRecord, match="/a has 101 bytes; max_bytes is 100"):
            store.get("a", max_bytes=100)

    def test_lists_what_is_below(self, store: Blobs) -> None:
        """`list` gives names and sizes, all or those below some levels."""
        for name in ("one", "folder/two", "folder/deeper/three", "folders/four"):
            store.put(name, name.encode())
        assert sorted(store.list()) == [
            ("folder/deeper/three", 19),
            ("folder/two", 10),
            ("folders/four", 12),
            ("one", 3),
        ]
        assert sorted(store.list("folder")) == [("folder/deeper/three", 19), ("folder/two", 10)]

    def test_several_threads_may_use_it(self, store: Blobs) -> None:
        """Eight threads put and get side by side."""

        def there_and_back(number: int) -> bytes | None:
            store.put(f"n{number}", str(number).encode())
            return store.get(f"n{number}", max_bytes=100)

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(there_and_back, range(40))) == [str(number).encode() for number in range(40)]


class TableContract:
    """Needs a fixture `table`, an empty Table."""

    def test_values_come_back_as_they_were(self, table: Table) -> None:
        """Every kind of value keeps its type, and a row its source and time."""
        values = {
            "float": -12.25, "whole": 20.0, "int": 2**62, "small": 7, "text": "Zürich '湿度' \"{}\"", "empty": "",
            "yes": True, "no": False, "bytes": b"\0\xff", "urn:dev-x.y/z": 1.5, "_x0041_": 2.0, "Time": 3.0, "9": 4.0,
            "PartitionKey": "mine",
        }  # fmt: skip
        row = Row("all", "dev7-1", values, "dev7", 1422748810.0625)
        assert table.upsert([row]) == {}
        found = table.lookup([("all", "dev7-1")])[("all", "dev7-1")]
        assert found == row
        assert {name: type(value) for name, value in found.values.items()} == {
            name: type(value) for name, value in values.items()
        }

    def test_writing_again_changes_nothing(self, table: Table) -> None:
        """The same rows twice are the rows once."""
        rows = [Row("all", f"k{number}", {"n": number}, "dev7", float(number)) for number in range(5)]
        for _ in range(2):
            table.upsert(rows)
        assert list(table.range("all", 0.0, 10.0, most=100)) == rows

    def test_a_row_that_is_there_is_merged(self, table: Table) -> None:
        """Values of the same name are replaced, the others stay; source and time are the last ones."""
        table.upsert([Row("all", "k", {"a": 1, "b": 2.5}, "dev7", 1.0)])
        table.upsert([Row("all", "k", {"b": "now a text", "c": True}, "dev8", 2.0)])
        merged = Row("all", "k", {"a": 1, "b": "now a text", "c": True}, "dev8", 2.0)
        assert table.lookup([("all", "k")]) == {("all", "k"): merged}
        assert list(table.range("all", 0.0, 1.5, most=10)) == []

    def test_only_what_is_there_is_found(self, table: Table) -> None:
        """A lookup gives the rows there are, whatever the partition or quotes in a key."""
        table.upsert([Row("one", "it's", {"n": 1}), Row("two", "it's", {"n": 2})])
        keys = [("one", "it's"), ("two", "it's"), ("one", "other"), ("three", "it's")]
        assert {key: row.values["n"] for key, row in table.lookup(keys).items()} == {keys[0]: 1, keys[1]: 2}
        assert table.lookup([]) == {}

    def test_a_range_has_its_start_but_not_its_end(self, table: Table) -> None:
        """Rows with start <= time < end come, of that partition only, in the order of time and then key."""
        for partition in ("it's", "other"):
            table.upsert([
                Row(partition, f"{letter}{time}", {"n": time}, "", float(time)) for time in range(5) for letter in "ba"
            ])
        assert [row.key for row in table.range("it's", 1.0, 3.0, most=100)] == ["a1", "b1", "a2", "b2"]
        assert list(table.range("it's", 3.0, 1.0, most=100)) == []

    def test_a_range_is_exact(self, table: Table) -> None:
        """Times differ by the last bit of a double and are told apart."""
        times = [1422748810.0, 1422748810.0000002, 1422748810.0000005]
        table.upsert([Row("all", f"k{index}", {"n": 1}, "", time) for index, time in enumerate(times)])
        assert [row.time for row in table.range("all", times[1], times[2], most=10)] == [times[1]]

    def test_no_more_than_asked_for(self, table: Table) -> None:
        """`most` bounds how many rows come."""
        table.upsert([Row("all", f"k{number:03}", {"n": number}, "", float(number)) for number in range(10)])
        assert len(list(table.range("all", 0.0, 100.0, most=4))) == 4

    def test_many_rows_of_many_partitions(self, table: Table) -> None:
        """Rows by the hundred, of several partitions in one call, are all written."""
        rows = [Row(f"p{number % 3}", f"k{number}", {"n": number}, "", float(number)) for number in range(3 * MANY)]
        assert table.upsert(rows) == {}
        assert [len(list(table.range(f"p{number}", 0.0, 1e6, most=1000))) for number in range(3)] == [MANY] * 3

    def test_several_threads_may_use_it(self, table: Table) -> None:
        """Threads that write and read side by side lose nothing."""

        def there_and_back(number: int) -> int:
            table.upsert([Row("all", f"k{number}", {"n": number}, "", float(number))])
            return len(table.lookup([("all", f"k{number}")]))

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(there_and_back, range(40))) == 40
        assert len(list(table.range("all", 0.0, 100.0, most=100))) == 40

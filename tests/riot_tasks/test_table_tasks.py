import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from riot_tasks import BadRecord, Record, Task
from riot_tasks.io.table_insert import TableInsert
from riot_tasks.io.table_lookup import TableLookup
from riot_tasks.io.table_range import TableRange
from riot_tasks.predict.linear_regression_train import LinearRegressionTrain
from riot_tasks.record import Value
from riot_tasks.stores import tables
from riot_tasks.stores.rows import Row
from riot_tasks.stores.sqlite_table import SqliteTable
from riotd.dataflow import Outlet, Plan, Stage
from riotd.messages import Outcome, Portion
from riotd.shard import Shard
from tests.riot_tasks.conftest import SAMPLE

STORE = "memory://tasks"
TIMER = SAMPLE.with_name("inputFileForTimerSpout-CITY.csv")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    tables.close_all()


def _rows(store: str = STORE, partition: str = "all") -> list[Row]:
    return list(tables.table(store, "sysdata").range(partition, -1e15, 1e15, most=10**6))


def _out(task: Task, record: Record) -> list[dict[str, Value]]:
    return [result.values for result in task.process(record)]


def _record(number: int = 1, source: str = "dev7", time: float = 1.5, **values: Value) -> Record:
    return Record(number, source, time, values, dict.fromkeys(values, "unit"), {"bn": "urn:"})


class TestInsert:
    def test_a_record_is_a_row(self) -> None:
        """A record is written with its source and time under its key, and passed on as it is."""
        record = _record(temperature=20.5, place="lab", nothing=None)
        assert list(TableInsert(STORE, table="sysdata").process(record)) == [record]
        assert _rows() == [Row("all", "dev7-1500-1", {"temperature": 20.5, "place": "lab"}, "dev7", 1.5)]

    def test_templates_name_partition_and_key(self) -> None:
        """Partition and key may be made of any field."""
        task = TableInsert(STORE, table="sysdata", partition="{kind}", key="{source}/{n}")
        task.process(_record(kind="a/b", n=3))
        assert [row.key for row in _rows(partition="a_b")] == ["dev7/3"]

    def test_only_the_fields_asked_for(self) -> None:
        """`fields` says what is written; a record with none of them, or with nothing, passes and leaves no row."""
        task = TableInsert(STORE, table="sysdata", fields=["a", "b"])
        for number, record in enumerate([_record(a=1, c=2), _record(c=2), _record(), _record(b=None)]):
            assert len(_out(task, Record(number, "d", 0.0, record.values))) == 1
        assert [(row.key, row.values) for row in _rows()] == [("d-0-0", {"a": 1})]

    def test_the_parts_of_a_message_are_one_row(self) -> None:
        """Records by the same key are merged, in one call as over several; the last value of a name counts."""
        task = TableInsert(STORE, table="sysdata")
        answers = task.process_many([_record(a=1), _record(b=2), _record(a=3)])
        task.process(_record(c=4))
        assert all(not isinstance(answer, BadRecord) and len(list(answer)) == 1 for answer in answers)
        assert [row.values for row in _rows()] == [{"a": 3, "b": 2, "c": 4}]

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"a": float("nan")}, "a: nan can't be stored"),
            ({"a": 1.0, "b": float("-inf")}, "b: -inf can't be stored"),
            ({"a": 2**63}, "a: an integer of 64 bits can't be stored"),
            ({"a": "\ud800"}, "a: a text that is no Unicode can't be stored"),
            ({"a\ud800": 1}, r"a\?: a text that is no Unicode can't be stored"),
        ],
    )
    def test_what_no_store_can_hold_is_refused(self, values: dict[str, Value], message: str) -> None:
        """Such a value makes the record a BadRecord that names the field; its neighbours are written."""
        task = TableInsert(STORE, table="sysdata")
        good, bad = _record(number=1, a=1), Record(2, "dev7", 1.5, values)
        answers = task.process_many([good, bad])
        assert [isinstance(answer, BadRecord) for answer in answers] == [False, True]
        assert [row.key for row in _rows()] == ["dev7-1500-1"]
        with pytest.raises(BadRecord, match="^" + message):
            task.process(bad)

    @pytest.mark.parametrize(
        ("record", "message"),
        [
            (Record(1, "dev\ud800", 0.0, {"a": 1}), "source: a text that is no Unicode can't be stored"),
            (Record(1, "dev7", float("nan"), {"a": 1}), "time: nan can't be stored"),
            (Record(1, "dev7", 0.0, {"a": 1, "k": None}), "k: has no value, and key needs it"),
        ],
    )
    def test_a_record_that_can_be_no_row_is_refused(self, record: Record, message: str) -> None:
        """So does a source or a time that no store can hold, or a key that can't be made."""
        with pytest.raises(BadRecord, match="^" + message):
            TableInsert(STORE, table="sysdata", key="{k}" if "k" in record.values else "{id}").process(record)

    def test_rows_are_there_before_results_leave(self, tmp_path: Path) -> None:
        """What a shard gives for a portion is written, in one transaction, when the outcome is given."""
        url = f"sqlite://{tmp_path}/a.db"
        shard = Shard(_plan(Stage("t", "table_insert", {"store": url, "table": "sysdata"})))
        outcome = shard.run(Portion(0, 1.0, [1, 2, 3], ["a", "b", "a"], [b"x", b"y", b"z"]))
        assert [result.id for result in outcome.results] == [1, 2, 3]
        assert len(_rows(url)) == 3

    def test_a_store_out_of_reach_is_waited_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """While the store can't be written nothing leaves the shard; when it can, all rows are there, once."""
        monkeypatch.setattr("riotd.patience._PAUSES", (0.001, 0.002))
        monkeypatch.setattr("riot_tasks.stores.sqlite_table._PATIENCE", 0.01)
        url = f"sqlite://{tmp_path}/a.db"
        shard = Shard(_plan(Stage("t", "table_insert", {"store": url, "table": "sysdata"})))
        _rows(url)  # makes the table
        holder = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        outcomes: list[Outcome] = []
        portion = Portion(0, 1.0, [1, 2], ["a", "b"], [b"x", b"y"])
        running = Thread(target=lambda: outcomes.append(shard.run(portion)))
        running.start()
        running.join(0.3)
        assert running.is_alive()
        holder.execute("ROLLBACK")
        holder.close()
        running.join(30)
        assert [(len(outcome.results), outcome.rejects) for outcome in outcomes] == [(2, [])]
        assert [row.source for row in _rows(url)] == ["a", "b"]


class TestLookup:
    @pytest.fixture(autouse=True)
    def _devices(self) -> None:
        rows = [Row("all", "dev7", {"room": "lab", "floor": 2}, "owner", 5.0), Row("other", "dev8", {"room": "hall"})]
        tables.table(STORE, "sysdata").upsert(rows)

    def _task(self, **params: Any) -> TableLookup:
        return TableLookup(STORE, table="sysdata", **params)

    def test_all_values_are_added(self) -> None:
        """By default every value of the row is added, and replaces a field of its name, with its unit."""
        (found,) = self._task().process(_record(t=1.0, floor="attic"))
        assert found.values == {"t": 1.0, "room": "lab", "floor": 2}
        assert (found.units, found.meta) == ({"t": "unit"}, {"bn": "urn:"})

    def test_columns_can_be_chosen(self) -> None:
        """A list chooses; the row's own source, key and time can be had; what the row lacks is None."""
        task = self._task(columns=["room", "source", "time", "key", "missing"])
        expected = {"room": "lab", "source": "owner", "time": 5.0, "key": "dev7", "missing": None}
        assert _out(task, _record()) == [expected]

    def test_columns_can_be_renamed(self) -> None:
        """A mapping names the fields."""
        assert _out(self._task(columns={"room": "place"}), _record(t=1)) == [{"t": 1, "place": "lab"}]

    def test_the_key_can_be_a_field(self) -> None:
        """Key and partition are templates."""
        task = self._task(partition="{where}", key="{who}")
        assert _out(task, _record(where="other", who="dev8")) == [{"where": "other", "who": "dev8", "room": "hall"}]

    @pytest.mark.parametrize(
        ("on_miss", "expected"),
        [("pass", [{"t": 1}]), ("drop", []), ("null", [{"t": 1, "place": None}]), ("reject", None)],
    )
    def test_a_miss(self, on_miss: str, expected: Sequence[dict[str, Value]] | None) -> None:
        """`on_miss` says what becomes of a record without a row."""
        task = self._task(columns={"room": "place"}, on_miss=on_miss)
        if expected is None:
            with pytest.raises(BadRecord, match="table sysdata has no row 'stranger' in the partition 'all'"):
                task.process(_record(source="stranger"))
        else:
            assert _out(task, _record(source="stranger", t=1)) == expected

    def test_a_changed_row_counts(self) -> None:
        """The table is asked anew for each record."""
        task = self._task(columns=["room"])
        assert _out(task, _record()) == [{"room": "lab"}]
        tables.table(STORE, "sysdata").upsert([Row("all", "dev7", {"room": "attic"})])
        assert _out(task, _record()) == [{"room": "attic"}]

    def test_one_question_for_many(self) -> None:
        """Records in hand with the same key are one question."""
        statements: list[str] = []
        table = tables.table(STORE, "sysdata")
        assert isinstance(table, SqliteTable)
        table._connection.set_trace_callback(statements.append)
        answers = self._task(columns=["room"]).process_many([_record(number) for number in range(50)])
        assert (len(answers), len(statements)) == (50, 1)


class TestRange:
    @pytest.fixture(autouse=True)
    def _history(self) -> None:
        rows = [Row("all", f"k{at}", {"x": at, "y": f"t{at}"}, f"dev{at % 2}", at * 0.5) for at in range(10)]
        tables.table(STORE, "sysdata").upsert(rows)

    def _task(self, **params: Any) -> TableRange:
        return TableRange(STORE, table="sysdata", **params)

    def test_rows_are_one_text(self) -> None:
        """The rows are a JSON list in the order of their times, start included and end not, beside the other fields."""
        (found,) = self._task(columns=["x", "time"]).process(_record(rowstart=1000, rowend="2500", name="CITY"))
        assert json.loads(str(found.values.pop("rows"))) == [{"x": at, "time": at / 2} for at in (2, 3, 4)]
        assert found.values == {"rowstart": 1000, "rowend": "2500", "name": "CITY", "count": 3}
        assert (found.id, found.source, found.meta) == (1, "dev7", {"bn": "urn:"})

    def test_training_takes_them(self) -> None:
        """The rows are what the training tasks learn from, their times the model's window."""
        pytest.importorskip("numpy")
        rows = [Row("line", f"k{at}", {"x": at, "y": 2.0 * at + 1.0}, "", float(at)) for at in range(50)]
        tables.table(STORE, "sysdata").upsert(rows)
        (found,) = self._task(partition="line").process(_record(rowstart=10_000, rowend=40_000, name="CITY"))
        (learnt,) = LinearRegressionTrain(["x"], target="y").process(found)
        model = json.loads(str(learnt.values["model"]))
        assert model["coefficients"]["x"] == pytest.approx(2.0)
        assert (model["training"]["rows"], model["version"][:8]) == (30, "CITY-MLR")

    def test_nothing_is_an_answer(self) -> None:
        """A range without rows is an empty list."""
        assert _out(self._task(), _record(rowstart=9000, rowend=9999))[0]["rows"] == "[]"
        assert _out(self._task(give="records"), _record(rowstart=9000, rowend=9999)) == []

    def test_records_are_the_rows_own(self) -> None:
        """With `give: records` each row is a record: the trigger's id, its own source and time."""
        found = list(self._task(give="records", columns=["x"]).process(_record(number=9, rowstart=1000, rowend=2000)))
        assert [(one.id, one.source, one.time, one.values) for one in found] == [
            (9, "dev0", 1.0, {"x": 2}),
            (9, "dev1", 1.5, {"x": 3}),
        ]

    def test_bounds_in_seconds_and_other_fields(self) -> None:
        """The fields with the bounds can be named, and be in seconds."""
        task = self._task(start="since", end="until", unit="s")
        assert _out(task, _record(since=1.0, until=1.25))[0]["count"] == 1

    def test_milliseconds_are_exact(self) -> None:
        """A bound in milliseconds is the same number as a time of so many seconds and milliseconds."""
        times = [1422748810.001, 1422748810.002]
        tables.table(STORE, "sysdata").upsert([Row("ms", f"k{time}", {"x": 1}, "", time) for time in times])
        task = self._task(partition="ms")
        assert _out(task, _record(rowstart=1422748810001, rowend=1422748810002))[0]["count"] == 1

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"rowend": 1}, "rowstart: has no value; it says where the range begins or ends"),
            ({"rowstart": 1, "rowend": None}, "rowend: has no value"),
            ({"rowstart": "noon", "rowend": 1}, "rowstart: 'noon' is not a number"),
            ({"rowstart": 0, "rowend": 9000}, r"the range has more than 4 rows \(max_rows\); ask for less at a time"),
        ],
    )
    def test_what_gives_no_range_is_refused(self, values: dict[str, Value], message: str) -> None:
        """Without bounds, or with too many rows between them, the record is a BadRecord."""
        with pytest.raises(BadRecord, match="^" + message):
            self._task(max_rows=4).process(Record(1, "", 0.0, values))

    def test_four_rows_are_four(self) -> None:
        """Exactly `max_rows` are given."""
        assert _out(self._task(max_rows=4), _record(rowstart=0, rowend=2000))[0]["count"] == 4


def test_a_reader_may_be_there_before_the_writers(tmp_path: Path) -> None:
    """With `create` a range of a table that nobody has written to yet is empty, and then has what is written."""
    store = {"store": f"sqlite://{tmp_path}/new.db", "table": "sysdata"}
    task, trigger = TableRange(**store, create=True), _record(rowstart=0, rowend=5000)
    assert [result.values["count"] for result in task.process(trigger)] == [0]
    list(TableInsert(**store).process(Record(1, "dev7", 1.0, {"x": 1})))
    assert [result.values["rows"] for result in task.process(trigger)] == ['[{"time":1.0,"x":1}]']


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
def test_riotbenchs_timer_reads_what_was_inserted(tmp_path: Path) -> None:
    """The city sample, inserted through a shard, is found by a row of RIoTBench's timer file as it is."""
    store = {"store": f"sqlite://{tmp_path}/a.db", "table": "sysdata"}
    insert = Shard(_plan(Stage("parse", "senml_parse"), Stage("t", "table_insert", store, ("parse",))))
    lines = SAMPLE.read_text().splitlines()
    packs = [line.partition(",")[2].encode() for line in lines]
    for _ in range(2):  # a replay changes nothing
        outcome = insert.run(Portion(0, 1.0, list(range(len(packs))), ["city"] * len(packs), packs))
        assert (len(outcome.results), outcome.rejects) == (len(packs), [])
    header, first = (line.split(",") for line in TIMER.read_text().splitlines()[:2])
    trigger = Record(1, "timer", 0.0, dict(zip(header, first, strict=True)))
    (found,) = TableRange(**store).process(trigger)
    start, end = (int(str(trigger.values[name])) for name in ("rowstart", "rowend"))
    times = [int(line.partition(",")[0]) for line in lines]
    assert found.values["count"] == sum(start <= time < end for time in times) == len(packs)
    assert {"time", "temperature", "airquality_raw"} <= json.loads(str(found.values["rows"]))[0].keys()


@pytest.mark.parametrize(
    ("task", "params", "message"),
    [
        (TableInsert, {"store": "ftp://x", "table": "sysdata"}, "store: 'ftp://x' is no store"),
        (TableInsert, {"store": STORE, "table": "no name"}, "table: must be 3 to 63 letters and digits"),
        (TableInsert, {"store": STORE, "table": "sysdata", "key": "{"}, "key: a brace without its partner"),
        (TableInsert, {"store": STORE, "table": "sysdata", "partition": ""}, "partition: must be a text"),
        (
            TableInsert,
            {"store": STORE, "table": "sysdata", "fields": []},
            "fields: .* is no list of different field names",
        ),
        (TableLookup, {"store": "sqlite:nowhere.db", "table": "sysdata"}, "store: nowhere.db is not there"),
        (TableLookup, {"store": STORE, "table": "sysdata", "columns": {"a": "x", "b": "x"}}, "columns: "),
        (TableLookup, {"store": STORE, "table": "sysdata", "columns": 7}, "columns: 7 is no list"),
        (TableLookup, {"store": STORE, "table": "sysdata", "on_miss": "fail"}, "on_miss: must be 'pass' or 'drop'"),
        (
            TableLookup,
            {"store": STORE, "table": "sysdata", "on_miss": "null"},
            "on_miss: 'null' must know which fields",
        ),
        (TableRange, {"store": "sqlite:nowhere.db", "table": "sysdata"}, "store: nowhere.db is not there"),
        (
            TableRange,
            {"store": "sqlite:no/where.db", "table": "sysdata", "create": True},
            "store: the folder .*/no is not there",
        ),
        (TableRange, {"store": STORE, "table": "sysdata", "create": 1}, "create: must be true or false"),
        (TableRange, {"store": STORE, "table": "sysdata", "unit": "h"}, "unit: must be 'ms' or 's'"),
        (TableRange, {"store": STORE, "table": "sysdata", "give": "csv"}, "give: must be 'rows' or 'records'"),
        (TableRange, {"store": STORE, "table": "sysdata", "max_rows": 0}, "max_rows: must be a whole number from 1"),
        (TableRange, {"store": STORE, "table": "sysdata", "start": ""}, "start: must be a field's name"),
    ],
)
def test_wrong_parameters_are_refused(task: type[Task], params: dict[str, Any], message: str) -> None:
    """Each mistake in the parameters is refused when the task is made, saying what to write."""
    with pytest.raises(ValueError, match="^" + message):
        task(**params)


def _plan(*stages: Stage) -> Plan:
    return Plan(stages, (Outlet("out", (stages[-1].id,), "json"),))

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks import BadRecord, Value
from riot_tasks.fields import number
from riot_tasks.predict.tables import CsvTable, JsonTable, numbers_in, table_in

cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[\ufeff"), min_size=1, max_size=8)


def test_csv_names_its_columns_in_the_first_line() -> None:
    """Cells are texts in their column; an empty one is None, as all are of a column that is not there."""
    table = table_in("rows", 'a,"b,c"\n1,2.5\n\n,"x\n""y"""\n')
    assert table == CsvTable(["a", "b,c"], [["1", "2.5"], ["", 'x\n"y"']])
    assert [table.column(name) for name in ("a", "b,c", "d")] == [["1", None], ["2.5", 'x\n"y"'], [None, None]]
    assert len(table) == 2


def test_json_is_an_array_of_objects() -> None:
    """Values keep their types; objects need not have the same names, and the first one's are the columns."""
    table = table_in("rows", b' [{"a": 1, "b": "x"}, {"b": null, "c": 2.5, "d": true}]')
    assert table == JsonTable([{"a": 1, "b": "x"}, {"b": None, "c": 2.5, "d": True}])
    assert [table.column(name) for name in "abcd"] == [[1, None], ["x", None], [None, 2.5], [None, True]]
    assert (table.names, len(table)) == (["a", "b"], 2)


@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff".encode()])
def test_a_byte_order_mark_is_no_name(mark: str | bytes) -> None:
    """What spreadsheets put in front of a text is not part of the first name, nor of a JSON array."""
    csv, array = (mark + (text if isinstance(mark, str) else text.encode()) for text in ("a\n1", '[{"a": 1}]'))  # type: ignore[operator]
    assert (table_in("rows", csv), table_in("rows", array)) == (CsvTable(["a"], [["1"]]), JsonTable([{"a": 1}]))


@settings(deadline=None)
@given(st.lists(names, min_size=1, max_size=4, unique=True), st.data())
def test_csv_is_written_as_it_was_read(columns: list[str], data: st.DataObject) -> None:
    """A table written and read again is the same, whatever characters are in it."""
    lines = data.draw(st.lists(st.lists(cells, min_size=len(columns), max_size=len(columns)), max_size=5))
    text = "".join(
        ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line) + "\n" for line in [columns, *lines]
    )
    table = table_in("rows", text)
    assert table == CsvTable(columns, lines)
    assert table_in("rows", table.text()) == table


values = st.none() | st.booleans() | st.floats(-1e9, 1e9) | st.integers(-9, 9) | cells


@settings(deadline=None)
@given(st.lists(st.dictionaries(names, values, max_size=3)))
def test_json_is_written_as_it_was_read(rows: list[dict[str, Value]]) -> None:
    """A table written and read again is the same, to the last bit."""
    table = table_in("rows", json.dumps(rows))
    assert table == JsonTable(rows)  # type: ignore[arg-type]
    assert table_in("rows", table.text()) == table


@pytest.mark.parametrize("text", ["a,b\n1,2\n3,4\n", '[{"a":1,"b":2},{"a":3,"b":4}]'])
def test_a_column_is_put_behind_or_in_its_place(text: str) -> None:
    """A new column is the last one; one that is there is replaced; nothing is None, or an empty cell."""
    table = table_in("rows", text)
    more = table.with_column("c", ["x", None])
    assert (more.names, more.column("c"), more.column("b")) == (["a", "b", "c"], ["x", None], table.column("b"))
    other = table.with_column("a", ["x", None])
    assert (other.names, other.column("a"), other.column("b")) == (["a", "b"], ["x", None], table.column("b"))
    assert table == table_in("rows", text)


@settings(deadline=None)
@given(st.lists(st.floats() | st.integers() | st.text("0123456789.eE+-_ naif", max_size=6), max_size=6))
def test_numbers_are_those_of_a_record(column: list[Value]) -> None:
    """A column's numbers are found at once, or one by one: the same values are numbers as in a record, and none."""
    table = JsonTable([{"a": value} for value in column])  # type: ignore[dict-item]
    said = [_number(value) for value in column]
    refused = next(
        (f"rows: row {row}: {text}" for row, text in enumerate(said, start=1) if isinstance(text, str)), None
    )
    if refused is None:
        assert numbers_in("rows", table, "a") == said
    else:
        with pytest.raises(BadRecord, match=f"^{re.escape(refused)}$"):
            numbers_in("rows", table, "a")


def _number(value: Value) -> float | str:
    """The number a record's field has, or why it has none."""
    try:
        return number("a", value)
    except BadRecord as error:
        return str(error)


def test_nothing_stays_nothing() -> None:
    """An empty cell is no mistake among numbers."""
    assert numbers_in("rows", CsvTable(["a"], [["1"], [""], ["2.5"]]), "a") == [1.0, None, 2.5]
    assert numbers_in("rows", CsvTable(["a"], [["1"], ["2"]]), "b") == [None, None]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (12.5, "rows: holds no table, but a float"),
        ("", "rows: the first line must name each column differently"),
        ("a,a\n1,2", "rows: the first line must name each column differently"),
        ("a,\n1,2", "rows: the first line must name each column differently"),
        ("a,b\n1,2\n3\n", "rows: line 3 has 1 cells, the first line 2"),
        ('a,b\n1,"2\n', "rows: unexpected end of data"),
        (b"a,b\n\xff,2", "rows: 'utf-8' codec can't decode byte 0xff"),
        ("a,b\n\ud800,2", "rows: 'utf-8' codec can't encode character"),
        ("[1]", r"rows: Expected `object`, got `int` - at `\$\[0\]`"),
        ('[{"a": [1]}]', r"rows: Expected .*, got `array` - at `\$\[0\]\[...\]`"),
        ("[" * 100_000, "rows: "),
    ],
)
def test_what_is_no_table_is_refused(table: Value, message: str) -> None:
    """Each mistake in a table is refused, naming the field, and the line or entry."""
    with pytest.raises(BadRecord, match=message):
        table_in("rows", table)

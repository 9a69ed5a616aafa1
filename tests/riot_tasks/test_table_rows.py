import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riot_tasks import BadRecord, Value
from riot_tasks.predict.rows import rows_of, text_of

cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def test_csv_names_its_columns_in_the_first_line() -> None:
    """Cells are texts under their column's name; an empty one is None; empty lines count for nothing."""
    rows = rows_of("rows", 'a,"b,c"\n1,2.5\n\n,"x\n""y"""\n')
    assert rows.rows == [{"a": "1", "b,c": "2.5"}, {"a": None, "b,c": 'x\n"y"'}]


def test_json_is_an_array_of_objects() -> None:
    """Values keep their types, and objects need not have the same keys."""
    rows = rows_of("rows", b' [{"a": 1, "b": "x"}, {"b": null, "c": 2.5, "d": true}]')
    assert rows.rows == [{"a": 1, "b": "x"}, {"b": None, "c": 2.5, "d": True}]


@given(
    st.lists(names, min_size=1, max_size=4, unique=True).filter(lambda each: not each[0].lstrip().startswith("[")),
    st.data(),
)
def test_csv_is_written_as_it_was_read(columns: list[str], data: st.DataObject) -> None:
    """Rows written and read again are the same, whatever characters are in them."""
    table = data.draw(st.lists(st.lists(cells.filter(bool), min_size=len(columns), max_size=len(columns)), max_size=5))
    text = "".join(
        ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line) + "\n" for line in [columns, *table]
    )
    rows = rows_of("rows", text)
    assert [list(row.values()) for row in rows.rows] == table
    assert rows_of("rows", text_of(rows)) == rows


@given(
    st.lists(
        st.dictionaries(
            names, st.none() | st.booleans() | st.floats(-1e9, 1e9) | st.integers(-9, 9) | cells, max_size=3
        )
    )
)
def test_json_is_written_as_it_was_read(table: list[dict[str, Value]]) -> None:
    """Rows written and read again are the same, to the last bit."""
    rows = rows_of("rows", json.dumps(table))
    assert rows.rows == table
    assert rows_of("rows", text_of(rows)) == rows


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (12.5, "rows: holds no rows, but a float"),
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
        rows_of("rows", table)

"""ETL as it stands in config/, against a plain reference, row by row."""

import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from typing import Any

from tests.contracts.flows import references
from tests.contracts.flows.running import Case, Ran, by_source, cases, run


def _table(ran: Ran, dataset: str) -> list[tuple[str, float, dict[str, Any]]]:
    """What is in ETL's table: device, time and values, in no order that says anything."""
    with closing(sqlite3.connect(ran.folder / f"{dataset}.db")) as table:
        found = table.execute(f'SELECT source, time, "values" FROM {dataset}data ORDER BY key').fetchall()
    return [(source, time, json.loads(values)) for source, time, values in found]


@cases()
def test_etl_is_the_reference_row_by_row(case: Case) -> None:
    """What ETL publishes is, device by device and in order, what one loop over the file gives; so is its table."""
    feed, engine = case
    expected = list(references.etl(feed.dataset, feed.lines, feed.known))
    ran = run("etl", feed, sinks=["senml"], **engine)
    assert by_source(ran.results["senml"]) == _by_source(expected)
    assert _table(ran, feed.dataset) == references.table(feed.dataset, expected)
    assert ran.rejects == []


def _by_source(rows: list[references.Reading]) -> dict[str, list[tuple[float, dict[str, Any]]]]:
    found: dict[str, list[tuple[float, dict[str, Any]]]] = defaultdict(list)
    for source, time, values in rows:
        found[source].append((time, values))
    return found


@cases(of="inline', 1")
def test_messages_need_not_be_taken_apart(case: Case) -> None:
    """With `explode: false` the same dataflow gives the same rows, for less."""
    feed, engine = case
    ran = run("etl", feed, sinks=["senml"], settings=["stages.parse.params.explode=false"], **engine)
    assert by_source(ran.results["senml"]) == _by_source(list(references.etl(feed.dataset, feed.lines, feed.known)))
    assert ran.rejects == []

import json
from pathlib import Path
from typing import Any

import yaml

from riot_tasks.stores import tables
from riot_tasks.stores.rows import Row
from riotd import wiring
from riotd.config import load
from riotd.notify import Notifier
from riotd.supervisor import Supervisor

ROWS = "msgId,timestamp,rowstart,rowend\n7,1443033000,10000,20000\n8,1443033000,20000,30000\n"


def service(folder: Path, **source: Any) -> wiring.Service:
    """A daemon that asks a table of one row a second for the stretches a timer names."""
    config = {
        "name": "asking",
        "sources": {"tick": {"type": "timer", **source}},
        "stages": [
            {"id": "asked", "task": "json_parse", "params": {"timestamp": "time"}},
            {"id": "rows", "task": "table_range", "params": {"store": f"sqlite:{folder}/t.db", "table": "readings"}},
        ],
        "sinks": {"out": {"type": "file", "path": str(folder / "out.jsonl"), "from": ["rows"]}},
        "rejects": {"type": "file", "path": str(folder / "rejects.jsonl")},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    rows = [Row("all", f"r{at}", {"x": at}, "dev7", float(at)) for at in range(60)]
    tables.table(f"sqlite:{folder}/t.db", "readings").upsert(rows)
    return wiring.build(load(folder / "config.yaml"))


async def run(made: wiring.Service) -> int:
    return await Supervisor(made, reload=lambda: made.config, notifier=Notifier()).run()


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_a_timer_file_asks_the_table(tmp_path: Path) -> None:
    """Each row of a timer file brings the table's rows of its stretch; behind the last one the daemon is done."""
    (tmp_path / "timers.csv").write_text(ROWS)
    assert await run(service(tmp_path, file=str(tmp_path / "timers.csv"))) == 0
    found = [result["values"] for result in lines(tmp_path / "out.jsonl")]
    assert [(values["n"], values["count"]) for values in found] == [(7, 10), (8, 10)]
    assert [row["x"] for row in json.loads(found[1]["rows"])] == list(range(20, 30))


async def test_a_row_that_has_become_wrong(tmp_path: Path) -> None:
    """A row that went wrong after the check is a dead letter that names line and reason; those around it count."""
    (tmp_path / "timers.csv").write_text(ROWS)
    made = service(tmp_path, file=str(tmp_path / "timers.csv"))
    (tmp_path / "timers.csv").write_text(ROWS + "9,1443033000,oops,30000\n10,1443033000,30000,40000")
    assert await run(made) == 0
    assert [result["values"]["n"] for result in lines(tmp_path / "out.jsonl")] == [7, 8, 10]
    (letter,) = lines(tmp_path / "rejects.jsonl")
    assert (letter["stage"], letter["topic"]) == ("asked", "timer/tick")
    assert letter["payload"].startswith("9,1443033000,oops,30000 ... [line 4 of the timer file: rowstart: ")
    assert made.report()["source"]["wrong"] == 1

"""The tables at the top of docs/tasks.md: every task, with the facts of its class."""

import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from riot_tasks import Task
from riotd.catalog import RIOTBENCH

PAGE = (Path(__file__).resolve().parents[2] / "docs/tasks.md").read_text(encoding="utf-8")
TOP = PAGE.partition("\n## ")[0]
ROW = re.compile(r"^\|(?: (\w+) \|)? \[`(\w+)`\]\(#(\w+)\) \| (\S+) \| (\w+) \| `(\S+)` \| (.+) \|$", re.MULTILINE)
_CODES = "ANN C2S SML XML BLF RGF ACC AVG DAC KAL SOM DTC DTT INP MLR MLT SLR ABD ABU ATL ATR ATI MQP MQS LZP RZP PLT"
PAPER = _CODES.split(" ")
"""The codes of the paper's table 1, in its order."""


def _expected(point: EntryPoint) -> tuple[str, ...]:
    task: type[Task] = point.load()
    _, *rooms = task.__module__.split(".")
    state = "keeps state" if task.stateful else "no state"
    factory = RIOTBENCH.get(point.name, ("", ""))[1] or "-"
    return task.code, point.name, point.name, factory, rooms[0] if len(rooms) > 1 else "other", task.pattern, state


def test_every_task_has_a_row_with_its_facts() -> None:
    """Code, name, RIoTBench's name, family, pattern and state of each registered task, and no other rows."""
    ours = [point for point in entry_points(group="riotd.tasks") if point.value.startswith("riot_tasks.")]
    assert sorted(ROW.findall(TOP)) == sorted(map(_expected, ours))


def test_all_27_are_there_in_the_papers_order() -> None:
    """The first table is the paper's; what has no code there comes in the second one."""
    codes = [row[0] for row in ROW.findall(TOP)]
    assert codes[:27] == PAPER
    assert set(codes[27:]) == {""}


def test_the_catalog_is_in_the_papers_order_too() -> None:
    """`riotd tasks` and the completion of names go by it."""
    assert [code for code, _ in RIOTBENCH.values() if code] == PAPER


def test_every_link_within_the_page_leads_somewhere() -> None:
    """Each link to a heading has one."""
    lines = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    headings = {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) - headings == set()

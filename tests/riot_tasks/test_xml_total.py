"""RIoTBench's checksum of a document, against the original's own and sums by hand."""

from pathlib import Path

import pytest

from riot_tasks import BadRecord
from riot_tasks.parse.xml_total import total

STUDENTS = Path(__file__).resolve().parents[1] / "data/tempSAX.xml"


def test_the_total_of_riotbenchs_own_document() -> None:
    """37 students, of 145 letters of roll numbers, 776 of names and marks, and 43 for the tags and texts of each."""
    assert total(STUDENTS.read_bytes()) == 145 + 776 + 37 * 43 == 2512


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<class/>", 0),
        ('<student rollno="393"/>', 3 + 7),
        ('<student rollno=""><firstname>ann</firstname></student>', 5 + 3 + 1 + 7),
        ('<student rollno=""><lastname>ann</lastname></student>', 6 + 3 + 2 + 7),
        ('<student rollno=""><nickname>ann</nickname></student>', 7 + 3 + 3 + 7),
        ('<student rollno=""><marks>85</marks></student>', 8 + 2 + 4 + 7),
        ('<STUDENT rollno="1"><FirstName>ann</FirstName></STUDENT>', 1 + 5 + 3 + 1 + 7),
        ("<x><marks>8<b/>5</marks></x>", 8 + 1 + 4),
        ("<x><marks/><b>123</b></x>", 8 + 3 + 4),
        ("<x><marks/><firstname>ann</firstname><b>85</b></x>", 8 + 5 + (3 + 1) + (2 + 4)),
        ("<x><marks>\U0001f600é</marks></x>", 8 + 3 + 4),
    ],
)
def test_each_rule_by_hand(document: str, expected: int) -> None:
    """What a tag, a text and a student's end add; a tag without text waits for the next, names come before marks."""
    assert total(document) == expected


def test_a_student_without_number_is_refused() -> None:
    """Where the original fails and keeps what it had, the document is refused."""
    with pytest.raises(BadRecord, match="a student without rollno"):
        total("<student/>")

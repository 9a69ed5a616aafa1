from riot_tasks import Record
from riot_tasks.noop import Noop


def test_noop_gives_the_record_itself() -> None:
    """The very record comes out, not a copy."""
    record = Record(1, "dev7", 0.0, {"payload": b"\xff"})
    assert [result is record for result in Noop().process(record)] == [True]

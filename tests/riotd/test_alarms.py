"""Alarms: said when they come, when they have doubled, and when they go."""

from riotd.alarms import Alarm, Alarms, residue


def alarm(count: int, where: str = "ledger") -> Alarm:
    return Alarm(where, count, "received 1 ≠ settled 0")


def test_a_sum_that_is_right_is_no_alarm() -> None:
    """What adds up is silent; what does not is said with all its numbers."""
    assert residue("stage a", 5, "in", out=3, filtered=2) == []
    (wrong,) = residue("stage a", 5, "in", out=3, under_way=1)
    assert str(wrong) == "stage a: in 5 ≠ out 3 + under way 1 (residue 1)"


def test_each_is_said_once() -> None:
    """An alarm that stays as it is, or grows a little, is not said again; one beside it is."""
    alarms = Alarms()
    assert alarms.news([alarm(4)]) == [alarm(4)]
    assert alarms.news([alarm(4)]) == []
    assert alarms.news([alarm(7), alarm(1, "stage a")]) == [alarm(1, "stage a")]


def test_one_that_doubles_is_said_again() -> None:
    """Growth is said at each doubling, so that a steady leak is heard of, but not with every message."""
    alarms = Alarms()
    said = [count for count in range(1, 1000) if alarms.news([alarm(count)])]
    assert said == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert alarms.news([alarm(-1)]) == [alarm(-1)]


def test_the_end_of_one_is_said() -> None:
    """What adds up again is said once, with residue 0, and is news if it comes back."""
    alarms = Alarms()
    alarms.news([alarm(4)])
    (gone,) = alarms.news([])
    assert (gone.where, gone.residue) == ("ledger", 0)
    assert alarms.news([]) == []
    assert alarms.news([alarm(4)]) == [alarm(4)]

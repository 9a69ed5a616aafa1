"""The schedule of a drill."""

from itertools import islice

from riotd.drill.faults import FAULTS, schedule


class TestSchedule:
    def test_is_the_same_for_the_same_seed(self) -> None:
        """A drill can be had again; another seed gives another one."""
        first, again, other = (list(islice(schedule([*FAULTS], every=2.0, seed=seed), 50)) for seed in (5, 5, 6))
        assert first == again
        assert first != other

    def test_has_each_fault_once_a_round(self) -> None:
        """However long it is, no fault is left out, and none comes twice before all others came."""
        found = [planned.fault for planned in islice(schedule([*FAULTS], every=2.0, seed=1), 5 * len(FAULTS))]
        for begin in range(0, len(found), len(FAULTS)):
            assert sorted(found[begin : begin + len(FAULTS)]) == sorted(FAULTS)

    def test_leaves_the_time_that_was_asked_for(self) -> None:
        """Pauses are the wanted one on the average, and never less than half of it."""
        pauses = [planned.pause for planned in islice(schedule(["kill-daemon"], every=2.0, seed=1), 1000)]
        assert min(pauses) >= 1.0
        assert 1.9 < sum(pauses) / 1000 < 2.1

    def test_is_impatient_with_kills_only(self) -> None:
        """Some kills are followed by another fault at once; whatever else strikes is recovered from first."""
        planned = list(islice(schedule([*FAULTS], every=2.0, seed=1), 1000))
        assert {each.fault for each in planned if not each.patient} == {"kill-daemon"}

    def test_of_nothing_is_empty(self) -> None:
        """A drill without faults is a run that is only judged."""
        assert list(schedule([], every=2.0, seed=1)) == []

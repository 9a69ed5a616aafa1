"""The budget: what is counted, and when no further batch is begun."""

from riotd.budget import BESIDE, Budget, resident, weight
from riotd.messages import Outcome, Result


def test_a_sum_that_is_spent_leaves_no_room() -> None:
    """Parts below their limits leave no room for a batch once they come to the whole together."""
    held = {"a": 40, "b": 59}
    budget = Budget(100)
    budget.add("a", 90, lambda: held["a"])
    budget.add("b", 90, lambda: held["b"])
    assert budget.room()
    held["b"] += 1
    assert not budget.room()
    assert (budget.spent, budget.report()["used"]) == (1, 100)


def test_only_parts_that_wait_stop_at_their_own_limit() -> None:
    """A part's limit is for the eye, unless it is one that batches wait for."""
    budget = Budget(100, results=10)
    budget.add("buffers", 5, lambda: 50)
    assert budget.room()
    budget.results = 10
    assert not budget.room()


def test_without_a_total_there_is_always_room() -> None:
    """A budget of nothing said bounds nothing."""
    budget = Budget()
    budget.add("a", 1, lambda: 10**12)
    assert budget.room()


def test_a_result_weighs_its_payload_and_what_is_around_it() -> None:
    """Results of all outcomes count."""
    outcome = Outcome(0, [Result(0, 1, "s", "d", "", b"x" * 100)] * 3, [], [])
    assert weight([outcome, outcome]) == 6 * (100 + BESIDE)


def test_the_process_says_what_it_has() -> None:
    """More than the interpreter's first megabytes."""
    assert resident() > 5 * 2**20

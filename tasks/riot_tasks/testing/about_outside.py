"""What does it leave in the world outside when it runs again? `Outside` says how to look."""

from riot_tasks.testing.cases import Case, difference, restored, run

_CUTS = 6  # crashes tried, evenly spread
_AHEAD = 3  # records the dead one had done since the snapshot


def leaves_the_same_outside_on_replay(case: Case) -> str | None:
    """A replay over what a first run has left outside changes nothing there, and gives the same results."""
    first = run(case.new(), case.inputs)
    before = repr(case.outside.look())
    second = run(case.new(), case.inputs)
    after = repr(case.outside.look())
    return difference(first, second) or (None if after == before else f"{before} became {after}")


def leaves_the_same_outside_after_a_crash(case: Case) -> str | None:
    """Dead some records after a snapshot, restored and given them again, it leaves outside what one run leaves."""
    whole = run(case.new(), case.inputs)
    expected = repr(case.outside.look())
    for cut in range(0, len(case.inputs), max(1, len(case.inputs) // _CUTS)):
        case.outside.reset()
        dead = case.new()
        run(dead, case.inputs[:cut], flush=False)
        taken = dead.snapshot()
        run(dead, case.inputs[cut : cut + _AHEAD], flush=False)
        said = run(restored(case, taken), case.inputs[cut:])
        if fault := difference(whole[cut:], said):
            return f"snapshot before record {cut}: {fault}"
        if (found := repr(case.outside.look())) != expected:
            return f"snapshot before record {cut}: {expected} became {found}"
    return None

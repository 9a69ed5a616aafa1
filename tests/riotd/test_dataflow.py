"""The graph of stages."""

from hypothesis import given
from hypothesis import strategies as st

from riotd.dataflow import Stage, chain, ends, graph_mistakes, ordered


def stage(name: str, *after: str) -> Stage:
    return Stage(name, "noop", after=after)


def test_unsaid_after_is_the_stage_before() -> None:
    """Stages without `after` form a chain; one that says it does not."""
    stages = chain([stage("a"), stage("b"), stage("c", "a"), stage("d")], [False, False, True, False])
    assert [one.after for one in stages] == [(), ("a",), ("a",), ("c",)]


def test_all_mistakes_at_once() -> None:
    """A doubled id and two unknown ones are three mistakes, each with its place."""
    found = graph_mistakes([stage("a"), stage("a", "x"), stage("b", "y")])
    assert [mistake.where for mistake in found] == ["stages[1].id", "stages[1].after", "stages[2].after"]


def test_a_cycle_is_named() -> None:
    """A cycle is said stage by stage."""
    (mistake,) = graph_mistakes([stage("a"), stage("b", "a", "d"), stage("c", "b"), stage("d", "c")])
    assert mistake.what == "b → c → d → b is a cycle"


def test_a_stage_after_itself_is_a_cycle() -> None:
    """The smallest cycle is found too."""
    (mistake,) = graph_mistakes([stage("a", "a")])
    assert mistake.what == "a → a is a cycle"


def test_ends_are_what_nobody_takes_from() -> None:
    """The default of a sink: stages without a successor."""
    assert ends([stage("a"), stage("b", "a"), stage("c", "a")]) == ("b", "c")


@given(st.permutations(range(8)), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12))
def test_order_follows_the_arrows(positions: list[int], arrows: list[tuple[int, int]]) -> None:
    """However the file is sorted, every stage runs after those it takes from."""
    after = {number: {low for low, high in arrows if high == number and low < high} for number in range(8)}
    stages = [stage(str(number), *map(str, sorted(after[number]))) for number in positions]
    assert graph_mistakes(stages) == []
    seen: set[str] = set()
    for one in ordered(stages):
        assert seen.issuperset(one.after)
        seen.add(one.id)
    assert len(seen) == 8

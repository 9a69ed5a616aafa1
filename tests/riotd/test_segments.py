"""Where the key changes, and where that needs no exchange."""

from riotd.dataflow import Plan, Stage
from riotd.segments import BY_SOURCE, Step, arranged, passes

NOOP = "noop"


def steps(*stages: Stage, shards: int = 4) -> dict[str, Step]:
    return {step.stage.id: step for step in arranged(Plan(stages, shards=shards))}


class TestLevels:
    def test_one_key_is_one_pass(self) -> None:
        """Stages that say no key run in one pass, kept by source."""
        found = steps(Stage("a", NOOP), Stage("b", NOOP, {}, ("a",)))
        assert [(step.level, step.key, step.placement) for step in found.values()] == [(0, BY_SOURCE, BY_SOURCE)] * 2
        assert passes(Plan((Stage("a", NOOP),), shards=4)) == 1

    def test_another_key_is_a_level_further_on(self) -> None:
        """A stage with a key of its own takes its records by an exchange; what follows it stays with it."""
        found = steps(
            Stage("parse", NOOP), Stage("count", NOOP, {}, ("parse",), ("name",)), Stage("after", NOOP, {}, ("count",))
        )
        assert [(step.level, step.placement) for step in found.values()] == [
            (0, BY_SOURCE),
            (1, ("name",)),
            (1, ("name",)),
        ]
        assert [step.inputs[0].edge for step in found.values()] == [None, 0, None]

    def test_a_refinement_needs_no_exchange(self) -> None:
        """Records placed by source are where a stage keyed by source and name wants them."""
        step = steps(Stage("parse", NOOP), Stage("plot", NOOP, {}, ("parse",), ("source", "name")))["plot"]
        assert (step.level, step.key, step.placement) == (0, ("source", "name"), BY_SOURCE)
        assert step.inputs[0].edge is None

    def test_inputs_of_several_levels_meet_at_the_last(self) -> None:
        """A stage that takes from two levels has what is behind carried on to the later one."""
        found = steps(
            Stage("parse", NOOP),
            Stage("count", NOOP, {}, ("parse",), ("name",)),
            Stage("both", NOOP, {}, ("parse", "count"), ("one",)),
        )
        assert found["both"].level == 2
        assert [each.edge is not None for each in found["both"].inputs] == [True, True]

    def test_inputs_placed_differently_meet_a_level_further_on(self) -> None:
        """Records placed by source and others placed by name both serve [source, name], but not at one place."""
        found = steps(
            Stage("parse", NOOP),
            Stage("name", NOOP, {}, ("parse",), ("name",)),
            Stage("source", NOOP, {}, ("name",), ("source",)),
            Stage("other", NOOP, {}, ("source",), ("name",)),
            Stage("again", NOOP, {}, ("other",), ("source",)),
            Stage("both", NOOP, {}, ("again", "other"), ("source", "name")),
        )
        assert (found["again"].level, found["other"].level, found["both"].level) == (4, 3, 4)
        assert [each.edge is None for each in found["both"].inputs] == [True, False]

    def test_one_shard_needs_one_pass(self) -> None:
        """With a single shard nothing has anywhere to go."""
        stages = (Stage("a", NOOP), Stage("b", NOOP, {}, ("a",), ("one",)))
        assert (passes(Plan(stages)), passes(Plan(stages, shards=2))) == (1, 2)

"""Every stateful task gives on every engine, over any number of shards, what it gives in one thread."""

from importlib.util import find_spec

import pytest

from riotd import catalog
from riotd.dataflow import Plan
from riotd.platforms import beam
from tests.contracts.conftest import MakeEngine
from tests.contracts.platform_examples import END, EXAMPLES, View, one_thread, plan, portions, stateful, together, views

pytestmark = pytest.mark.timeout(300)  # Ray's workers import what all tasks need, each for itself


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """All examples."""
    return plan(tmp_path_factory.mktemp("examples"))


@pytest.fixture(scope="module")
def expected(examples: Plan) -> dict[str, View]:
    """What one shard in this thread makes of them."""
    return one_thread(examples)


class TestExamples:
    def test_are_there_for_every_stateful_task(self) -> None:
        """A registered task with state has an example in `platform_examples.EXAMPLES`."""
        assert set(stateful()) - EXAMPLES.keys() == set()

    def test_are_of_stateful_tasks(self) -> None:
        """No example is of a task that is not there any more, or has no state."""
        assert [name for name in EXAMPLES if not catalog.find(name).stateful] == []

    def test_make_the_tasks_do_something(self, expected: dict[str, View]) -> None:
        """Every example gives results for every device: equality of nothing would be no claim."""
        assert {stage: len(view.results) for stage, view in expected.items() if "." in stage} == {
            f"{name}.{number}": 12 for name, examples in EXAMPLES.items() for number in range(len(examples))
        }


class TestResults:
    @pytest.mark.parametrize("shards", [1, 4])
    async def test_on_the_engines_are_those_of_one_thread(
        self, make_engine: MakeEngine, shards: int, examples: Plan, expected: dict[str, View]
    ) -> None:
        """Inline and on Ray each key has the same results in the same order, the same refusals and counts."""
        async with make_engine(examples, shards) as engine:
            flights = [engine.submit(shard, each) for cut in portions(shards) for shard, each in cut.items()]
            flights += [engine.submit(shard, END) for shard in range(shards)]
            outcomes = [await flight for flight in flights]
        assert views(outcomes, examples) == expected

    @pytest.mark.parametrize("shards", [1, 4])
    def test_on_beam_are_those_of_one_thread(self, shards: int, examples: Plan, expected: dict[str, View]) -> None:
        """On Beam each key has the same results in the same order, the same refusals and counts."""
        if find_spec("apache_beam") is None:
            pytest.skip("apache-beam is not installed")
        outcomes = beam.run(examples, together(), shards=shards)
        assert views(outcomes, examples) == expected

"""The drill's own dataflow: its reference is what the daemon's shards say, and its feed is had again."""

from itertools import islice
from pathlib import Path

import orjson

from riot_tasks import Record
from riot_tasks.testing import check_task
from riotd.config import load
from riotd.drill.flow import IN, OwnFlow, Settings, feed
from riotd.drill.tally import Tally


class TestFlow:
    def test_is_a_right_configuration(self, tmp_path: Path) -> None:
        """What the drill hands to the daemon has no mistake, with a small quota or without."""
        for fill in (False, True):
            (file,) = OwnFlow(Settings(fill=fill)).prepare(tmp_path, inlet=1, outlet=2)
            assert load(file).name == "drill"

    def test_has_the_same_feed_for_the_same_seed(self) -> None:
        """Messages and results depend on nothing but the seed."""
        first, again, other = (list(islice(feed(Settings(seed=seed)), 30)) for seed in (1, 1, 2))
        assert first == again
        assert first != other

    def test_gives_every_device_its_turn(self) -> None:
        """Keys number the messages; each is on its device's topic, and of a size that fills the quota if asked to."""
        items = list(islice(feed(Settings(devices=3, rate=500.0, fill=True)), 6))
        assert [item.finding.key for item in items if item.finding] == list(range(6))
        assert [item.topic for item in items] == [f"{IN}/dev{index % 3}" for index in range(6)]
        assert all(len(item.payload) > 300 for item in items)

    def test_reads_results(self) -> None:
        """A result's stream is its topic's last level, its key the number in its time, its content what is in it."""
        payload = orjson.dumps({"time": 1_700_000_007.0, "values": {"v": 1.5, "count": 2, "chain": 3}})
        assert OwnFlow(Settings()).read("drill/out/dev1", payload) == ("dev1", 7, (1.5, 2, 3))


class TestTally:
    def test_is_a_task(self) -> None:
        """It keeps the contract of tasks, snapshots included."""
        records = [Record(number, "dev", float(number), {"v": number / 7}) for number in range(5)]
        check_task(Tally, [({}, records)])

    def test_sees_any_change_of_order(self) -> None:
        """Two records exchanged give another chain, though as many."""

        def chain(*readings: float) -> object:
            task = Tally()
            return [next(iter(task.process(Record(0, "dev", 0.0, {"v": each})))).values["chain"] for each in readings][
                -1
            ]

        assert chain(1.0, 2.0) != chain(2.0, 1.0)

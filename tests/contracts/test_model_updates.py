"""Models announced to a running dataflow: every shard has the same one in force at every message, on both engines."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from riot_tasks import models
from riot_tasks.stores import blobs
from riotd.dataflow import Outlet, Plan, Stage
from riotd.engines.inline import InlineEngine
from riotd.messages import Message
from riotd.partitioning import Keying, by_topic_level
from tests.contracts.conftest import MakeEngine
from tests.contracts.test_exchange import Bench

pytest.importorskip("obstore")
READINGS = 240
ANNOUNCED = {30: ("city-1", None), 60: ("city-2", None), 140: ("torn", None), 170: ("city-1", None), 200: ("city-2", 9)}
"""Number of a message to the version it announces, and for how long it is to be tried."""


def _text(version: str) -> str:
    """A model that is off by as much as its number is from 2."""
    off = {"city-1": 5.0, "city-2": 0.0, "torn": 0.0}[version]
    return json.dumps({
        "kind": "linear_regression", "format": 1, "version": version, "features": ["t"], "target": "air",
        "coefficients": {"t": 1.0}, "intercept": off,
    })  # fmt: skip


def _plan(store: str, shards: int) -> Plan:
    predict = {"updates": "model", "shadow": 50}
    stages = (
        Stage("parse", "senml_parse", {}, ("feed",)),
        Stage("notice", "notice_parse", {}, ("models",)),
        Stage("fetch", "blob_download", {"store": store, "into": "model"}, ("notice",)),
        Stage("predict", "linear_regression", predict, ("parse", "fetch")),
        Stage("compare", "model_compare", {"actual": "air", "window": 20}, ("notice", "predict/shadow"), ("one",)),
    )
    results = ("predict", "predict/events", "predict/shadow", "compare", "compare/notices")
    return Plan(stages, (Outlet("out", results, "json"),), shards=shards, sources=("feed", "models"))


def _items(store: str) -> list[Message]:
    """Readings of seven devices, and notices between them; the blob of one is torn."""
    items = []
    for number in range(READINGS):
        if number in ANNOUNCED:
            version, shadow = ANNOUNCED[number]
            text = _text(version)
            blobs.blobs(store).put(f"{version}.json", text.encode()[: -5 if version == "torn" else None])
            notice = models.notice(text, f"{version}.json", shadow=shadow)
            items.append(Message("models", notice.encode(), 0.0, origin=1))
            continue
        pack = [{"n": "t", "v": number}, {"n": "air", "v": number}]
        items.append(Message(f"dev{number * 5 % 7}", json.dumps(pack).encode(), 0.0))
    return items


async def _through(of: Plan, items: list[Message], engine: Any) -> Bench:
    bench = Bench(of, engine, items, keyings=[Keying(by_topic_level(0)), Keying(None)])
    await bench.run()
    return bench


def _said(bench: Bench) -> list[tuple[int, str, str, str]]:
    """Everything said, in the order of the messages."""
    said = ((result.id, result.stage, json.loads(result.payload)) for result in bench.sink.results)
    return sorted((number, stage, str(each["values"]), str(each["meta"])) for number, stage, each in said)


async def test_shards_agree(make_engine: MakeEngine, tmp_path: Path) -> None:
    """Results, trials, comparisons and events of two shards are those of one, message by message."""
    store = f"file://{tmp_path}/models"
    items = await asyncio.to_thread(_items, store)
    one, two = _plan(store, 1), _plan(store, 2)
    single = await _through(one, items, InlineEngine(one, shards=1))
    several = await _through(two, items, make_engine(two, 2))
    assert _said(several) == _said(single)
    assert len(several.source.acked) == READINGS


async def test_a_model_counts_from_its_message_on(tmp_path: Path) -> None:
    """No message is foretold by another model than the one in force at its place, whatever shard it went to."""
    store = f"file://{tmp_path}/models"
    items = await asyncio.to_thread(_items, store)
    of = _plan(store, 3)
    bench = await _through(of, items, InlineEngine(of, shards=3))
    by = {
        result.id: json.loads(result.payload)["meta"]["model"]
        for result in bench.sink.results
        if result.stage == "predict"
    }
    in_force = [(30, None), (111, "city-1"), (171, "city-2"), (210, "city-1"), (READINGS, "city-2")]
    for number in range(READINGS):
        expected = next(version for until, version in in_force if number < until)
        assert by.get(number) == (None if number in ANNOUNCED else expected), number
    events = [json.loads(result.payload)["values"] for result in bench.sink.results if result.stage == "predict/events"]
    assert [event["event"] for event in events] == ["taken", "shadowing", "refused", "rolled_back", "shadowing"]
    counts = bench.pump.report()["stages"][3]["counts"]
    assert (counts["models taken"], counts["models refused"], counts["records before any model"]) == (3, 3, 30)


async def test_trials_are_compared_over_all_shards(tmp_path: Path) -> None:
    """The comparison has the records of all keys, in their order, and announces the better model."""
    store = f"file://{tmp_path}/models"
    items = await asyncio.to_thread(_items, store)
    of = _plan(store, 3)
    bench = await _through(of, items, InlineEngine(of, shards=3))
    values = [json.loads(result.payload)["values"] for result in bench.sink.results if result.stage == "compare"]
    expected = {"version": "city-2", "in_force": "city-1", "records": 20, "unscored": 0, "difference": 5.0}
    assert values == 2 * [{**expected, "error": 0.0, "error_in_force": 5.0, "better": True}]
    told = [json.loads(result.payload)["values"] for result in bench.sink.results if result.stage == "compare/notices"]
    assert [json.loads(each["payload"])["shadow"] for each in told] == [0, 0]

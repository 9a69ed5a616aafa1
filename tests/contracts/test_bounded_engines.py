"""What bounded runs promise on every engine: the same results, byte for byte, however many shards there are."""

from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

import riotd
from riotd.bounded.report import InputRefused
from riotd.errors import ConfigError
from tests.riotd.bounded.bounded_inputs import city, results, write

MakePool = Callable[[int], riotd.Pool]

STATEFUL: list[tuple[str, dict[str, Any]]] = [
    ("kalman_filter", {}),
    ("kalman_filter", {"fields": ["temperature"], "parity": True}),
    ("average", {"window": 7}),
    ("distinct_count", {"item": "light", "buckets": 5}),
    ("sliding_regression", {"fields": ["dust"], "window": 5, "horizon": 3}),
    ("second_moment", {"fields": ["airquality_raw"], "tracked": 5}),
    ("interpolate", {"window": 3}),
    ("accumulate", {"window": 6}),
]


@pytest.fixture(params=["inline", pytest.param("ray", marks=pytest.mark.ray)])
def make_pool(request: pytest.FixtureRequest) -> MakePool:
    """A pool on either engine, of so many shards."""
    if request.param == "ray":
        request.getfixturevalue("ray_pool")
    return lambda shards: riotd.Pool(engine=request.param, shards=shards)


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """Interleaved sensors, some lines damaged."""
    return city(tmp_path / "city.csv", 3000, sensors=23, malformed=0.01, outliers=0.02, gaps=0.05)


def test_results_are_those_of_one_shard_alone(make_pool: MakePool, tmp_path: Path, feed: Path) -> None:
    """For every stateful task: keyed state is routed by key, so that 2 and 8 shards give what 1 gives."""
    expected = {}
    for index, (task, params) in enumerate(STATEFUL):
        riotd.run_file(task, feed, tmp_path / "one.jsonl", params=params)
        expected[index] = (tmp_path / "one.jsonl").read_bytes()
        assert expected[index].count(b"\n") > 20
    for shards in (2, 8):
        with make_pool(shards) as pool:
            for index, (task, params) in enumerate(STATEFUL):
                report = pool.run_file(task, feed, tmp_path / "many.jsonl", params=params)
                assert (tmp_path / "many.jsonl").read_bytes() == expected[index], (task, shards)
                assert sum(part.devices for part in report.per_shard) >= 23


def test_each_run_begins_afresh(make_pool: MakePool, tmp_path: Path, feed: Path) -> None:
    """A pool forgets one input before the next, also one that was left early or ended by a refusal."""
    with make_pool(2) as pool:
        pool.run_file("average", feed, tmp_path / "first.jsonl", params={"window": 50})
        stream = pool.run_stream("average", ({"device": "a", "t": float(n)} for n in count()), params={"window": 50})
        list(islice(stream, 3))
        stream.close()  # type: ignore[attr-defined]
        with pytest.raises(InputRefused):
            pool.run_file("average", feed, tmp_path / "none.jsonl", params={"window": 50}, strict=True)
        pool.run_file("average", feed, tmp_path / "again.jsonl", params={"window": 50})
    assert (tmp_path / "first.jsonl").read_bytes() == (tmp_path / "again.jsonl").read_bytes()
    assert not (tmp_path / "none.jsonl").exists()


def test_files_of_a_batch_do_not_mix(make_pool: MakePool, tmp_path: Path) -> None:
    """However they are distributed: as many at once as there are shards, of several forms and lengths."""
    files = [city(tmp_path / f"f{number}.csv", 50 * number, sensors=3, seed=number) for number in range(1, 6)]
    files.append(write(tmp_path / "plain.csv", [b"device,t", *[b"d%d,%d" % (n % 3, n) for n in range(400)]]))
    with make_pool(3) as pool:
        reports = pool.run_batch("average", files, tmp_path / "out", params={"window": 7})
    for report, file in zip(reports, files, strict=True):
        riotd.run_file("average", file, tmp_path / "one.jsonl", params={"window": 7})
        assert Path(report.about.output).read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_a_stream_is_a_file_in_memory(make_pool: MakePool, tmp_path: Path) -> None:
    """The same packs give the same results in the same order."""
    lines = [line.partition(b",")[2] for line in city(tmp_path / "in", 2000, sensors=11).read_bytes().splitlines()]
    riotd.run_file("kalman_filter", write(tmp_path / "in", lines), tmp_path / "out.jsonl")
    with make_pool(4) as pool:
        found = [(one.id, one.source, one.values) for one in pool.run_stream("kalman_filter", lines)]
    assert found == [(one["id"], one["source"], one["values"]) for one in results(tmp_path / "out.jsonl")]


def test_a_stream_s_look_ahead_is_bounded(make_pool: MakePool) -> None:
    """Items are taken as results are: some cuts ahead, not the whole feed."""
    taken = 0

    def items() -> Iterator[dict[str, object]]:
        nonlocal taken
        for taken in count(1):
            yield {"device": f"d{taken % 5}", "t": 1.0}

    with make_pool(2) as pool:
        stream = pool.run_stream("noop", items())
        for number, _ in enumerate(islice(stream, 3000), start=1):
            assert taken - number <= 4 * 256
        stream.close()  # type: ignore[attr-defined]


def test_a_task_that_can_t_be_made_is_an_error_and_the_pool_goes_on(make_pool: MakePool, tmp_path: Path) -> None:
    """Nothing of it sticks."""
    write(tmp_path / "in", [b'{"device":"a","t":1}'])
    with make_pool(2) as pool:
        with pytest.raises(ConfigError, match=r"average\.window"):
            pool.run_file("average", tmp_path / "in", tmp_path / "out.jsonl", params={"window": 0})
        assert pool.run_file("noop", tmp_path / "in", tmp_path / "out.jsonl").results == 1

"""Figures from what was noted: of runs made up so that they are known."""

from array import array
from collections.abc import Sequence
from typing import Any

import pytest

from riotd.benchmarks.flows.figures import Figures, figures
from riotd.benchmarks.flows.noted import Noted
from riotd.benchmarks.flows.usage import Sample
from riotd.benchmarks.stability import Trial

BEGAN, FIRST, RATE, SECONDS = 1000.0, 7_000_000, 100, 12
WALL = 1_700_000_000.0


def doubles(values: Sequence[float]) -> "array[float]":
    return array("d", values)


def report(at: float, settled: int, **more: Any) -> dict[str, Any]:
    stage = {"id": "parse", "in": settled, "emitted": 8 * settled, "busy_s": settled * 20e-6}
    waiting = {"id": "insert", "in": settled, "emitted": settled, "busy_s": settled * 90e-6}
    return {
        "time": WALL + at,
        "messages": {"settled": settled, "rejected": 3},
        "latency_ms": {"count": settled, "p50": 4.0},
        "stages": [stage, waiting],
        **more,
    }


def run(results: Sequence[tuple[int, float]], *, settled_at: float = RATE, late: float = 0.001) -> Noted:
    """Twelve seconds of 100 messages each, the first two of them warm-up; results of (message, seconds after due)."""
    total = RATE * SECONDS
    dues = [index / RATE for index in range(total)]
    heard = [(FIRST + index, BEGAN + dues[index] + after) for index, after in results if index < total]
    heard.sort(key=lambda pair: pair[1])
    seconds = range(SECONDS + 1)
    return Noted(
        began=BEGAN,
        since=2.0,
        until=10.0,
        first=FIRST,
        dues=doubles(dues),
        sent=doubles([number for index in range(total) for number in (index + 1, dues[index] + late)]),
        heard=doubles([number for pair in heard for number in pair]),
        reports=[report(BEGAN + second, round(settled_at * second)) for second in seconds],
        wall=WALL,
        samples=[
            Sample(
                BEGAN + second, {"riotd": 0.5 * second, "load": 0.1 * second}, {"riotd": 50_000_000}, {}, 2.0 * second
            )
            for second in seconds
        ],
        waiting=["insert"],
    )


def found(noted: Noted) -> Figures:
    return figures(noted)[0]


ANSWERED = [(index, 0.005) for index in range(RATE * SECONDS)]


def test_a_message_that_is_answered_once() -> None:
    """Each message's result 5 ms later: that is the latency, and as many results come as messages go."""
    made = found(run(ANSWERED))
    assert made.latency is not None
    assert (made.latency.count, made.selectivity, made.silent) == (800, 1.0, 0.0)
    assert [made.latency.min, made.latency.median, made.latency.max] == pytest.approx([0.005] * 3, abs=1e-6)
    assert (made.rate, made.results) == pytest.approx((100.0, 100.0))
    assert made.stable


def test_latency_is_the_mean_of_a_message_s_results() -> None:
    """Two results, after 2 and after 8 ms, make a latency of 5 ms and a selectivity of 2, as the paper defines them."""
    made = found(run([*((index, 0.002) for index, _ in ANSWERED), *((index, 0.008) for index, _ in ANSWERED)]))
    assert made.latency is not None
    assert made.latency.median == pytest.approx(0.005, abs=1e-6)
    assert made.selectivity == 2.0
    assert made.jitter is not None
    assert made.jitter.median == pytest.approx(0.0, abs=0.01)


def test_what_comes_of_few_messages() -> None:
    """A result of each tenth message: nine of ten are silent, and no second's jitter is off for that."""
    made = found(run([(index, 0.005) for index in range(0, RATE * SECONDS, 10)]))
    assert (made.selectivity, made.silent) == pytest.approx((0.1, 0.9))
    assert made.jitter is not None
    assert made.jitter.max == pytest.approx(0.0, abs=1e-9)


def test_jitter_is_what_a_second_lacks() -> None:
    """Of the results of one second half come in the next: -0.5 in the one, +0.5 in the other."""
    delayed = [(index, 1.0 if 500 <= index < 550 else 0.0) for index in range(RATE * SECONDS)]
    made = found(run(delayed))
    assert made.jitter is not None
    assert (made.jitter.min, made.jitter.max) == pytest.approx((-0.5, 0.5))


def test_results_of_nobody_are_counted_apart() -> None:
    """What names no message of the load is strange, and in no latency."""
    noted = run(ANSWERED)
    noted.heard.extend((-1, BEGAN + 5, FIRST - 1, BEGAN + 5, FIRST + 10**6, BEGAN + 5))
    made = found(noted)
    assert made.strange == 3
    assert made.latency is not None
    assert made.latency.count == 800


def test_the_load_s_own_delay_is_in_the_latency_and_said() -> None:
    """A message that is sent 20 ms late has a latency that counts from when it was due."""
    made = found(run([(index, 0.025) for index, _ in ANSWERED], late=0.020))
    assert made.latency is not None
    assert made.latency.median == pytest.approx(0.025, abs=1e-6)
    assert made.lateness is not None
    assert made.lateness.median == pytest.approx(0.020, abs=1e-6)


def test_a_queue_that_grows_is_not_sustained() -> None:
    """Where 90 of 100 messages are settled the queue grows by ten a second, and the rate is not held."""
    made = found(run(ANSWERED, settled_at=90.0))
    assert made.queue[-1] - made.queue[0] == pytest.approx(70, abs=2)
    assert not made.stable


def test_what_the_machine_gave() -> None:
    """Cores are CPU seconds a second; what no program of ours used is others'; a message's CPU is by settled ones."""
    made = found(run(ANSWERED))
    assert {name: each.median for name, each in made.cores.items()} == pytest.approx({
        "riotd": 0.5,
        "load": 0.1,
        "others": 1.4,
    })
    assert made.cpu == pytest.approx(5000.0)
    assert made.memory["riotd"].median == 50_000_000


def test_what_stages_took() -> None:
    """A stage's records and microseconds are a message's, and one that waits is marked."""
    parse, insert = found(run(ANSWERED)).stages
    assert (parse.id, parse.taken, parse.given) == ("parse", 1.0, 8.0)
    assert (parse.busy, insert.busy) == pytest.approx((20.0, 90.0))
    assert (parse.waits, insert.waits) == (False, True)


def test_where_results_are_few_the_daemon_s_own_latencies_tell() -> None:
    """With a result of each 400th message the run is stable all the same, for the daemon reports no growth."""
    _, trial = figures(run([(index, 0.005) for index in range(0, RATE * SECONDS, 400)]))
    assert trial.latencies == [0.004] * 9
    assert trial.stable


def test_nothing_at_all_is_no_figure() -> None:
    """A daemon that says and gives nothing has no latency, uses nothing that is known, and holds no rate."""
    noted = run([])
    silent = Noted(**{name: getattr(noted, name) for name in noted.__struct_fields__} | {"reports": [], "samples": []})
    made, trial = figures(silent)
    assert (made.latency, made.jitter, made.cores, made.stages, made.rejected) == (None, None, {}, [], 0)
    assert isinstance(trial, Trial)
    assert not trial.stable

"""From what load, listener, daemon and machine have noted to the figures of a run, as RIoTBench defines them.

Latency is that of a message: the mean over the results that follow from it, from when it was due to when they came,
network and queues included. It is counted from the due time, not from when it was sent: a system that makes the load
wait can't hide it. Jitter of a second is J = (out - s in) / (s in), with `in` the mean input rate and s the results to
a message. Arrivals, losses and stability are those between the end of the warm-up and the end of the measurement, while
the load goes on beyond it.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from riotd.benchmarks.flows.noted import Answers, Noted
from riotd.benchmarks.flows.series import Course, counts
from riotd.benchmarks.flows.spreads import Spread, spread
from riotd.benchmarks.stability import Trial

DAEMON = "riotd"
"""Its name among the programs whose use of the machine is noted."""
_ENOUGH = 30
"""Latencies that tell whether they grow; where results are fewer, being of many messages, the daemon is asked."""


class StageCost(msgspec.Struct, frozen=True):
    """A stage's part in a message.

    Attributes:
        id: its name.
        taken, given: records in and out.
        busy: microseconds by the clock.
        waits: whether they are not all work, for its task waits for something outside.
    """

    id: str
    taken: float
    given: float
    busy: float
    waits: bool


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to.

    Attributes:
        rate: messages sent a second.
        results: results a second.
        selectivity: results to a message, as they came.
        latency: seconds, over messages.
        lateness: seconds that the load itself was late.
        jitter: over seconds.
        arrived, departed: messages and results of each second.
        queue: messages sent and not yet settled, at the end of each second.
        cores: CPU, in cores, by program; `others` is what none of them used.
        memory: bytes, by program.
        cpu: microseconds of the daemon's CPU for each message.
        stages: what the daemon says its stages took.
        silent: share of the messages from which nothing followed.
        strange: results that follow from no message of the load.
        rejected: messages that became dead letters, since the start.
        stable: whether neither latency nor queue grew.
    """

    rate: float
    results: float
    selectivity: float
    latency: Spread | None
    lateness: Spread | None
    jitter: Spread | None
    arrived: list[int]
    departed: list[int]
    queue: list[int]
    cores: dict[str, Spread]
    memory: dict[str, Spread]
    cpu: float
    stages: list[StageCost]
    silent: float
    strange: int
    rejected: int
    stable: bool


def figures(noted: Noted) -> tuple[Figures, Trial]:
    """The figures of a run, and the run as a step on the way to a peak."""
    answers = Answers(noted)
    edges = _seconds(noted)
    arrived, departed = _arrivals(noted, edges), counts(noted.heard[1::2], edges)
    rate, results = sum(arrived) / len(arrived), sum(departed) / len(departed)
    usual = answers.selectivity * rate
    settled, sent = _settled(noted), _sent(noted)
    whole = settled.at(edges[-1]) - settled.at(edges[0])
    cores, cpu = _cores(noted, edges)
    latencies = answers.latencies()
    steady = latencies if len(latencies) >= _ENOUGH else _reported(noted, edges)
    trial = Trial(rate, round(sent.at(edges[-1])), round(settled.at(edges[-1])), steady)
    found = Figures(
        rate=rate,
        results=results,
        selectivity=answers.selectivity,
        latency=spread(latencies),
        lateness=spread(_lateness(noted)),
        jitter=spread([(count - usual) / usual for count in departed]) if usual else None,
        arrived=arrived,
        departed=departed,
        queue=[max(0, round(sent.at(edge) - settled.at(edge))) for edge in edges[1:]],
        cores=cores,
        memory=_memory(noted, edges),
        cpu=1e6 * cpu / max(whole, 1),
        stages=_stages(noted, edges),
        silent=answers.silent,
        strange=answers.strange,
        rejected=noted.reports[-1]["messages"]["rejected"] if noted.reports else 0,
        stable=trial.stable,
    )
    return found, trial


def _reported(noted: Noted, edges: Sequence[float]) -> list[float]:
    """Latencies by the daemon's own account, from taken in to settled: the median of each report in the time."""
    within = (report for report in noted.reports if edges[0] <= report["time"] - noted.wall <= edges[-1])
    return [report["latency_ms"]["p50"] / 1e3 for report in within if report["latency_ms"]["count"]]


def _seconds(noted: Noted) -> list[float]:
    """The instants at which the measured seconds begin, and the end of the last."""
    whole = max(1, round(noted.until - noted.since))
    length = (noted.until - noted.since) / whole
    return [noted.began + noted.since + number * length for number in range(whole + 1)]


def _sent(noted: Noted) -> Course:
    return Course([noted.began + at for at in noted.sent[1::2]], noted.sent[::2])


def _settled(noted: Noted) -> Course:
    times = [report["time"] - noted.wall for report in noted.reports]
    return Course(times, [report["messages"]["settled"] for report in noted.reports])


def _arrivals(noted: Noted, edges: Sequence[float]) -> list[int]:
    sent = _sent(noted)
    return [round(sent.at(until) - sent.at(since)) for since, until in pairwise(edges)]


def _lateness(noted: Noted) -> list[float]:
    """For each measured message, from due to sent."""
    late: list[float] = []
    done = 0
    for until, at in zip(noted.sent[::2], noted.sent[1::2], strict=True):
        late += [at - due for due in noted.dues[done : int(until)] if noted.since <= due < noted.until]
        done = int(until)
    return late


def _cores(noted: Noted, edges: Sequence[float]) -> tuple[dict[str, Spread], float]:
    """Cores' worth of CPU by program, over seconds; and the daemon's CPU seconds in all."""
    times = [sample.at for sample in noted.samples]
    if not times:
        return {}, 0.0
    used = {name: Course(times, [sample.cpu[name] for sample in noted.samples]) for name in noted.samples[0].cpu}
    machine = Course(times, [sample.machine - sum(sample.cpu.values()) for sample in noted.samples])
    rates = {name: course.rates(edges) for name, course in [*used.items(), ("others", machine)]}
    # the machine's seconds and the programs' are not read at one instant, so that the difference may be below 0
    found = {name: spread([max(0.0, rate) for rate in each]) for name, each in rates.items()}
    daemon = used[DAEMON]
    return {name: each for name, each in found.items() if each}, daemon.at(edges[-1]) - daemon.at(edges[0])


def _memory(noted: Noted, edges: Sequence[float]) -> dict[str, Spread]:
    within = [sample for sample in noted.samples if edges[0] <= sample.at <= edges[-1]]
    found = {name: spread([sample.memory[name] for sample in within]) for name in (within[0].memory if within else ())}
    return {name: each for name, each in found.items() if each}


def _stages(noted: Noted, edges: Sequence[float]) -> list[StageCost]:
    """By the first and the last report of the measured time."""
    within = [report for report in noted.reports if edges[0] <= report["time"] - noted.wall <= edges[-1]]
    if len(within) < 2:
        return []
    first, last = within[0], within[-1]
    messages = max(last["messages"]["settled"] - first["messages"]["settled"], 1)
    return [
        StageCost(
            after["id"],
            (after["in"] - before["in"]) / messages,
            (after["emitted"] - before["emitted"]) / messages,
            1e6 * (after["busy_s"] - before["busy_s"]) / messages,
            after["id"] in noted.waiting,
        )
        for before, after in zip(first["stages"], last["stages"], strict=True)
    ]

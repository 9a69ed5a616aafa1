"""Whether what a world came to is what it owes: to the publishers, to one shard that was never ended, to the disk."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from riotd.dataflow import Plan
from riotd.journal import Checkpoints
from riotd.messages import DeadLetter, Portion, Reject, Result
from riotd.shard import Shard
from tests.simulation.ends import Said
from tests.simulation.scenario import TIMED
from tests.simulation.surroundings import Surroundings


class _Meta(msgspec.Struct):
    """Of a result, what says by which stages it came."""

    meta: dict[str, str] = {}


_meta = msgspec.json.Decoder(_Meta).decode
_unpack = msgspec.msgpack.Decoder().decode
_Identity = tuple[Any, ...]


class Figures(NamedTuple):
    """What a seed came to.

    Attributes:
        messages: that had to be done.
        lives: of the daemon.
        doubled: most messages whose results came twice for one end of a life, on a sink that can't be cut back, where
            there is a journal.
    """

    messages: int
    lives: int
    doubled: int


class Broken(AssertionError):  # noqa: N818 - a promise
    """A promise was not kept."""


def _owe(holds: object, what: str) -> None:
    if not holds:
        raise Broken(what)


def judge(of: Surroundings, settled: Sequence[int], refused: int) -> Figures:
    """What it came to.

    Args:
        of: the world at its end.
        settled: of each life, below which message all results were with the sinks, as its journal told it.
        refused: messages that were found to have ended the daemon.

    Raises:
        Broken: a promise was not kept.
    """
    plan = of.scenario.plan(1)
    events = of.histories.events
    if not refused:
        _published(of, events)
    results, rejects, state = _reference(plan, events)
    for index, place in enumerate(of.places):
        mine = [result for result in results if result.outlet == index]
        if place.exact:
            _exact(mine, [said.what for said in place.got], plan)
        else:
            doubled = _at_least_once(mine, place.got, plan, settled, exact=not of.scenario.journal)
    _letters(of, rejects)
    _state(of, plan, state)
    return Figures(sum(len(event.ids) for event in events), len(settled), doubled if of.scenario.journal else 0)


def _published(of: Surroundings, events: Sequence[Portion]) -> None:
    """Each source's messages were done once, in order; all but what a broker forgot before it had our word."""
    done: dict[int, list[bytes]] = defaultdict(list)
    for event in events:
        origins = event.origins or [0] * len(event.ids)
        for origin, payload in zip(origins, event.payloads, strict=True):
            done[origin].append(payload)
    for index, (name, origin) in enumerate(of.origins.items()):
        places = {publication.payload: at for at, publication in enumerate(origin.feed)}
        found = [places[payload] for payload in done[index]]
        _owe(found == sorted(set(found)), f"{name}: out of order or doubled: {found}")
        missing = set(range(len(places))) - set(found)
        _owe(not missing & origin.acknowledged, f"{name}: lost though acknowledged: {missing & origin.acknowledged}")
        _owe(missing <= origin.void, f"{name}: lost: {missing - origin.void}")
    numbers = [number for event in events for number in event.ids]
    _owe(numbers == sorted(set(numbers)), "numbers don't rise")


def _reference(plan: Plan, events: Sequence[Portion]) -> tuple[list[Result], list[Reject], dict[str, Any]]:
    """What one shard makes of the same history."""
    shard = Shard(plan)
    results: list[Result] = []
    rejects: list[Reject] = []
    for event in events:
        outcome = shard.run(event)
        results += outcome.results
        rejects += outcome.rejects
    return results, rejects, _unpack(shard.snapshot())


def _exact(expected: Sequence[Result], got: Sequence[Result], plan: Plan) -> None:
    """The same results, of each key in the same order, none twice."""
    mine, theirs = dict(_by_key(expected, plan)), dict(_by_key(got, plan))
    _owe(mine.keys() >= theirs.keys(), f"of {theirs.keys() - mine.keys()} nothing is owed")
    for key, row in mine.items():
        found = theirs.get(key, [])
        for at, result in enumerate(row):
            _owe(at < len(found), f"{key}: {len(row)} results owed, {len(found)} there")
            same = (_identity(result), result.payload) == (_identity(found[at]), found[at].payload)
            _owe(same, f"{key}: {result} is owed, {found[at]} is there in place {at}")
        _owe(len(found) == len(row), f"{key}: {len(row)} results owed, {len(found)} there")


def _at_least_once(
    expected: Sequence[Result], got: Sequence[Said[Result]], plan: Plan, settled: Sequence[int], *, exact: bool
) -> int:
    """Every result; of each key in order, but that a new life may begin again a little earlier; nobody's heard twice.

    What was said last of each is right in every bit, and what was said before in all but the time.

    Returns:
        How many messages' results came twice for one end, at most.
    """
    wanted = {key: {_identity(result): at for at, result in enumerate(row)} for key, row in _by_key(expected, plan)}
    right = {_identity(result): result.payload for result in expected}
    reached: dict[Any, int] = defaultdict(lambda: -1)
    last: dict[Any, tuple[int, int]] = {}
    said: dict[_Identity, bytes] = {}
    twice: dict[int, set[int]] = defaultdict(set)
    for life, result in got:
        key, identity = _key(result, plan), _identity(result)
        at = wanted.get(key, {}).get(identity)
        if at is None:
            _owe(result.stage == TIMED and len(settled) > 1, f"nobody owes {identity}")
            continue
        before_life, before = last.get(key, (life, -1))
        if result.stage != TIMED:
            if before_life == life and before >= 0:
                _owe(at == before + 1, f"{identity}: behind {before} comes {at} of {key}")
            else:
                _owe(at <= reached[key] + 1, f"{identity}: a gap, {reached[key]} to {at} of {key}")
            if at <= reached[key]:
                twice[life].add(result.id)
                heard = result.id < settled[life] and not exact
                _owe(not heard, f"{identity}: again in life {life}, though all below {settled[life]} was settled")
        last[key] = (life, at)
        reached[key] = max(at, reached[key])
        said[identity] = result.payload
    _owe(said == right, _difference(expected, [result for _, result in got]))
    return max(map(len, twice.values()), default=0)


def _letters(of: Surroundings, rejects: Sequence[Reject]) -> None:
    expected = [(reject.id, reject.stage, reject.reason) for reject in rejects]
    got = [(letter.id, letter.stage, letter.reason) for letter in _read(of.letters.got) if letter.stage != "daemon"]
    if of.letters.exact:
        _owe(sorted(got) == sorted(expected), f"letters {sorted(got)} instead of {sorted(expected)}")
    else:
        _owe(set(got) == set(expected), f"letters {set(got) ^ set(expected)}")


def _read(got: Sequence[Said[DeadLetter]]) -> Iterator[DeadLetter]:
    return (said.what for said in got)


def _state(of: Surroundings, plan: Plan, expected: dict[str, Any]) -> None:
    """What is on disk at the end is the state of one shard that was never ended."""
    kept = Checkpoints(of.disk).latest()
    assert kept is not None
    shard = Shard(plan)
    if kept.shards:
        shard.restore(*kept.shards)
    found = _unpack(shard.snapshot())
    for stage, state in expected["stages"].items():
        _owe(found["stages"][stage] == state, f"state of {stage}: {found['stages'][stage]} instead of {state}")


def _by_key(results: Sequence[Result], plan: Plan) -> list[tuple[Any, list[Result]]]:
    rows: dict[Any, list[Result]] = defaultdict(list)
    for result in results:
        rows[_key(result, plan)].append(result)
    return sorted(rows.items())


def _key(result: Result, plan: Plan) -> tuple[str, ...]:
    """What orders a result: its stage, and what that keeps its instances by."""
    if result.stage == TIMED:
        return (result.stage, str(result.id))  # its results don't have the name they are kept by
    key = next(stage.key for stage in plan.stages if stage.id == result.stage) or ("source",)
    parts = {"source": result.source, "name": result.name, "one": ""}
    return (result.stage, *(parts[part] for part in key))


def _identity(result: Result) -> _Identity:
    """What a result is of; a stage may get a record both by another stage and past it."""
    return result.stage, result.id, result.source, result.name, *sorted(_meta(result.payload).meta)


def _difference(expected: Sequence[Result], got: Sequence[Result]) -> str:
    mine, theirs = ({(_identity(each), each.payload) for each in results} for results in (expected, got))
    missing, more = sorted(mine - theirs), sorted(theirs - mine)
    return f"{len(expected)} results owed, {len(got)} there; missing {missing[:3]}, too many {more[:3]}"

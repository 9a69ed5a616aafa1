"""A fuzzer for one target: seeded, and guided by what comes of its inputs."""

from collections.abc import Sequence
from random import Random
from traceback import extract_tb

from tests.fuzz.mutating import mutated
from tests.fuzz.targets import Target

_KEPT = 2_000
"""Inputs that are remembered because something new came of them."""
_FEW = 5
"""Failures that are told."""


class Fuzzing:
    """Inputs that gave what no other gave are mutated further; so it gets where a parser's depths are.

    Attributes:
        tried: inputs so far.
        failures: by where the target failed, and how, the shortest input.
    """

    def __init__(self, target: Target, *, seed: int = 0) -> None:
        self.tried = 0
        self.failures: dict[str, bytes] = {}
        self._run, self._random = target.run, Random(seed)
        self._corpus: list[bytes] = list(target.corpus)
        self._seen: set[str] = set()
        for data in target.corpus:
            self._try(data)

    def step(self, times: int) -> None:
        """So many inputs more."""
        for _ in range(times):
            self._try(mutated(self._random, self._corpus))

    def said(self) -> str:
        """What came of it, in words."""
        told = [f"{place}: {data!r}" for place, data in list(self.failures.items())[:_FEW]]
        return "\n  ".join([f"{self.tried} inputs, {len(self._seen)} outcomes, {len(self.failures)} failures", *told])

    def _try(self, data: bytes) -> None:
        self.tried += 1
        try:
            outcome = self._run(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not what the target may raise
            outcome = _place(error)
            if len(data) < len(self.failures.get(outcome, data + b" ")):
                self.failures[outcome] = data
        if outcome not in self._seen:
            self._seen.add(outcome)
            if len(self._corpus) < _KEPT:
                self._corpus.append(data)


def fuzzed(target: Target, times: int, *, seeds: Sequence[int] = (0,)) -> dict[str, bytes]:
    """The failures of so many inputs for each seed."""
    found: dict[str, bytes] = {}
    for seed in seeds:
        fuzzing = Fuzzing(target, seed=seed)
        fuzzing.step(times)
        found |= fuzzing.failures
    return found


def _place(error: Exception) -> str:
    """Which error, where it was raised, and on behalf of which line of the target."""
    frame = extract_tb(error.__traceback__)[-1]
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    return f"{type(error).__name__} in {frame.name} ({where}): {str(error)[:80]}"

from riotd.benchmarks.stability import Trial, peak


def trial(rate: float, capacity: float, seconds: float = 10.0) -> Trial:
    """What a worker that does `capacity` a second makes of an offered rate: above it both grow."""
    offered = int(rate * seconds)
    settled = min(offered, int(capacity * seconds))
    late = max(rate / capacity - 1.0, 0.0)
    return Trial(rate, offered, settled, [0.002 + late * number / rate for number in range(settled)])


async def searched(capacity: float, start: float) -> list[Trial]:
    async def attempt(rate: float) -> Trial:
        return trial(rate, capacity)

    return [each async for each in peak(attempt, start=start)]


def test_a_rate_that_is_kept_up_with_is_stable() -> None:
    """Below the capacity neither latency nor backlog grows."""
    assert trial(900.0, 1000.0).stable


def test_a_rate_beyond_the_capacity_is_not() -> None:
    """A tenth above the capacity the backlog grows, and with it the latency."""
    assert not trial(1100.0, 1000.0).stable


def test_growing_latency_alone_is_unstable() -> None:
    """What is settled in time but later and later is not sustained."""
    assert not Trial(100.0, 300, 300, [0.001] * 200 + [0.2] * 100).stable


def test_nothing_settled_is_unstable() -> None:
    """A trial in which nothing was settled sustains nothing."""
    assert not Trial(100.0, 300, 0, []).stable


async def test_the_peak_is_found_from_below() -> None:
    """Doubling, then bisecting, ends within 5 % below the capacity, also where a trial's tolerance lies above."""
    trials = await searched(7300.0, 100.0)
    best = max(each.rate for each in trials if each.stable)
    assert 7300.0 * 0.95 <= best <= 7300.0 * 1.05


async def test_the_peak_is_found_from_above() -> None:
    """A first rate that is too high is halved until one is stable."""
    trials = await searched(50.0, 100_000.0)
    best = max(each.rate for each in trials if each.stable)
    assert 50.0 * 0.9 <= best <= 50.0 * 1.05

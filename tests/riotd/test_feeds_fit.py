"""FIT: ten people at 50 Hz, their hearts and their movements following what they do."""

import json
from collections import defaultdict
from itertools import pairwise
from statistics import median, pstdev
from typing import Any

import pytest

from riotd.feeds import SCHEMAS, fit
from riotd.feeds.fit_motion import ACTIVITIES
from riotd.feeds.fit_subject import subject_id

_MINUTES = 30  # one subject's, enough for every activity


@pytest.fixture(scope="module")
def samples() -> list[dict[str, float]]:
    """Half an hour of one subject, by names."""
    return _samples(sensors=1, messages=_MINUTES * 60 * 50)


def _samples(**arguments: Any) -> list[dict[str, float]]:
    feed = fit(**({"outliers": 0, "gaps": 0} | arguments))
    return [{entry["n"]: entry["v"] for entry in json.loads(pack)} for _, pack in feed]


def _by_label(samples: list[dict[str, float]], name: str) -> dict[int, list[float]]:
    found = defaultdict(list)
    for sample in samples:
        found[int(sample["label"])].append(sample[name])
    return found


def _pulse(lead: list[float]) -> float:
    """Beats a minute by the R peaks: highest points above 0.6 mV."""
    peaks = [at for at in range(1, len(lead) - 1) if lead[at - 1] <= lead[at] > lead[at + 1] and lead[at] > 0.6]
    return 3000 / median(later - earlier for earlier, later in pairwise(peaks))


def test_a_subject_is_sampled_every_20_ms() -> None:
    """Ten subjects take turns; each one's base times are 20 ms apart, to the millisecond, as in the sample."""
    times = defaultdict(list)
    for _, pack in fit(messages=2000, form="riotbench"):
        document = json.loads(pack)
        assert isinstance(document["bt"], str)
        times[document["e"][0]["sv"]].append(int(document["bt"]))
    assert sorted(times) == sorted(f"subject{number}" for number in range(1, 11))
    for number in range(10):
        found = times[f"subject{number + 1}"]
        assert found == [1417890600000 + 2 * number + 20 * sample for sample in range(200)]


def test_another_rate_plays_the_same_samples() -> None:
    """Values depend on how many samples came before, not on how fast they came."""
    slow, fast = ([pack.partition(b'"n"')[2] for _, pack in fit(rate=rate, messages=500)] for rate in (10.0, 5000.0))
    assert slow == fast


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_clean_values_are_within_the_range_filters_bands(seed: int) -> None:
    """Whoever moves and however, all eleven fields that have a band stay within it."""
    samples = _samples(sensors=12, seed=seed, messages=40_000)
    for column in SCHEMAS["fit"].columns:
        if column.band:
            values = [sample[column.name] for sample in samples]
            assert column.band[0] <= min(values) <= max(values) <= column.band[1], column.name


def test_activities_take_turns_with_rests(samples: list[dict[str, float]]) -> None:
    """All twelve labels come in their order, each for 18 to 66 s, with the label 0 in between."""
    runs = [[int(samples[0]["label"]), 0]]
    for sample in samples:
        if sample["label"] != runs[-1][0]:
            runs.append([int(sample["label"]), 0])
        runs[-1][1] += 1
    labels = [label for label, _ in runs]
    assert set(labels) == set(range(13))
    assert all((label == 0) != (following == 0) for label, following in pairwise(labels))
    active = [label for label in labels if label]
    assert all(following == label % 12 + 1 for label, following in pairwise(active))
    assert all(18 * 50 <= length <= 66 * 50 for label, length in runs[1:-1] if label)


def test_hearts_follow_the_effort(samples: list[dict[str, float]]) -> None:
    """R peaks stand out, and come at a rate near that of the activity: slow lying down, fast running."""
    lead = _by_label(samples, "ecg_lead_1")
    for label in (2, 3, 4, 11):
        settled = lead[label][1000 : 50 * 54]
        assert max(settled) > 15 * median(abs(value) for value in settled)
        assert _pulse(settled) == pytest.approx(ACTIVITIES[label].pulse, rel=0.15), label
    assert _pulse(lead[11][1000:2700]) > 2 * _pulse(lead[3][1000:2700])


def test_limbs_follow_the_activity(samples: list[dict[str, float]]) -> None:
    """Legs move more walking than standing and running than walking; raising arms moves arms, not legs."""
    ankle, arm = (_by_label(samples, name) for name in ("acc_ankle_x", "acc_arm_x"))
    assert pstdev(ankle[11]) > 1.2 * pstdev(ankle[4]) > 10 * pstdev(ankle[1])
    assert pstdev(arm[7]) > 10 * pstdev(ankle[7])


def test_lying_down_turns_gravity(samples: list[dict[str, float]]) -> None:
    """Standing, gravity is along the chest's x axis; lying, along z."""
    along, across = (_by_label(samples, f"acc_chest_{axis}") for axis in "xz")
    assert median(along[1]) < -8
    assert median(across[1]) < 4
    assert median(along[3]) > -4
    assert median(across[3]) > 5


def test_replicas_have_the_subjects_name_and_a_number() -> None:
    """Ten subjects as in the annotation file; of a thousand no two are alike."""
    assert [subject_id(number) for number in (0, 9, 10, 29)] == [b"subject1", b"subject10", b"subject11", b"subject102"]
    assert len({subject_id(number) for number in range(1000)}) == 1000

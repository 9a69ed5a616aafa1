from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riot_tasks.algorithms.m5_regression import fit
from tests.riot_tasks.conftest import SAMPLE
from tests.riot_tasks.weka import CITY, DATA, SHARED, TAXI, arff, senml

RIOTBENCH = pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")


def _sensors() -> list[list[float]]:
    return [[float(cell) for cell in row] for row in arff(DATA / "linearregression.arff")]


def _city(*names: str) -> list[list[float]]:
    return senml("SYS_sample_data_senml.csv", list(names))


def _triples() -> list[list[float]]:
    lines = (SHARED / "taxi_train_triples.csv").read_text().splitlines()
    return [[float(cell) for cell in line.split(",")] for line in lines]


WEKA: list[Any] = [  # rows, Weka 3.6.14's coefficients by column, its intercept
    pytest.param(
        _sensors,
        {
            0: 0.04903473941418842,
            1: -0.04466845169073577,
            2: -0.44619771931579594,
            3: -0.15592468654020697,
            5: -0.002474627682532584,
        },
        44.217013635957024,
        id="the shipped 160 rows of sensors",
    ),
    pytest.param(
        lambda: [row[2:] for row in _sensors()],
        {0: -0.3016930069343487, 3: -0.0022363023905204314},
        32.85353650528741,
        id="the five columns of them that TRAIN takes",
    ),
    pytest.param(
        lambda: [[k, 2 * k + 0.001 * (k * k % 7), k * 3 % 11, 3 * k + 1 + k * 5 % 13] for k in range(50)],
        {0: 3.01723889494246},
        6.597647073909727,
        id="one attribute nearly twice another",
    ),
    pytest.param(lambda: [[k, k * k % 7, 26000] for k in range(50)], {}, 26000.0, id="a constant target"),
    pytest.param(
        _triples,
        {0: 0.004986540443569979, 1: 2.1376100248777576},
        2.5706047470084776,
        id="the shipped taxi trips",
        marks=RIOTBENCH,
    ),
    pytest.param(
        lambda: _city(*CITY),
        {0: -0.12825925340720506, 2: -0.001783002571693934, 3: -0.0017034159018587893},
        33.073486592687075,
        id="the city stream",
        marks=RIOTBENCH,
    ),
    pytest.param(
        lambda: _city(*CITY)[:300], {0: -0.19984488974342943}, 32.00173483547625, id="300 of the city", marks=RIOTBENCH
    ),
    pytest.param(
        lambda: _city(*CITY)[300:600],
        {2: -0.001815680728342947, 3: -0.0028864187316629867},
        31.039508699727442,
        id="the next 300",
        marks=RIOTBENCH,
    ),
    pytest.param(
        lambda: _city("temperature", "humidity", "light", "airquality_raw", "dust"),
        {0: -16.216361373498483, 1: 4.638249015965375, 2: -0.097779720725502, 3: -4.961838102066823},
        1388.220691163388,
        id="dust in the city",
        marks=RIOTBENCH,
    ),
    pytest.param(
        lambda: senml("TAXI_sample_data_senml.csv", TAXI),
        {1: 2.4952231225128463},
        4.610533581500965,
        id="the taxi stream",
        marks=RIOTBENCH,
    ),
]


@pytest.mark.parametrize(("rows", "weights", "intercept"), WEKA)
def test_the_model_is_wekas(rows: Any, weights: dict[int, float], intercept: float) -> None:
    """Of the same rows the same attributes are chosen, with the same coefficients to twelve digits."""
    made = fit(rows())
    chosen = {place: weight for place, weight in enumerate(made.weights) if weight is not None}
    assert chosen == pytest.approx(weights, rel=1e-12)
    assert made.intercept == pytest.approx(intercept, rel=1e-12)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
def test_what_adds_up_is_found() -> None:
    """The total of a taxi trip less its other parts is the fare, as Weka finds, to what the ridge leaves open."""
    names = ["trip_time_in_secs", "trip_distance", "surcharge", "mta_tax", "tip_amount", "tolls_amount"]
    made = fit(senml("TAXI_sample_data_senml.csv", [*names, "total_amount", "fare_amount"]))
    assert made.weights[:2] == [None, None]
    assert made.weights[2:] == pytest.approx([-1.0, -1.0, -1.0, -1.0, 1.0], abs=1e-8)
    assert made.intercept == pytest.approx(4.770953410115908e-9, abs=1e-11)


@pytest.mark.skipif(not SAMPLE.exists(), reason="RIoTBench's data are not here")
def test_the_body_sensors_three_rows_are_fitted() -> None:
    """Nine attributes of three different rows are far from independent: an exact model comes all the same."""
    names = [f"acc_{place}_{axis}" for place in ("ankle", "arm", "chest") for axis in "xyz"]
    rows = senml("FIT_sample_data_senml.csv", [*names, "ecg_lead_1"])
    made = fit(rows)
    assert all(weight is None or abs(weight) < 1 for weight in made.weights)
    assert made.rmse < 1e-9


def test_the_fit_is_numpys_where_all_count() -> None:
    """Where every attribute helps, the model is NumPy's least squares, and so are its errors."""
    dice = np.random.default_rng(7)
    x = dice.normal(50.0, 20.0, (200, 4))
    y = x @ [1.0, -2.0, 0.5, 3.0] + 7.0 + dice.normal(0.0, 1.0, 200)
    (*weights, intercept), (error,), _, _ = np.linalg.lstsq(np.column_stack([x, np.ones(200)]), y, rcond=None)
    made = fit(np.column_stack([x, y]).tolist())
    assert [*made.weights, made.intercept] == pytest.approx([*weights, intercept], rel=1e-9)
    assert made.rmse == pytest.approx(np.sqrt(error / 200), rel=1e-9)
    assert made.r2 == pytest.approx(1 - error / ((y - y.mean()) ** 2).sum(), rel=1e-9)


def test_noise_is_left_out() -> None:
    """Of eight attributes that are noise next to one that is not, at most a few stay, and that one does."""
    dice = np.random.default_rng(1)
    x = dice.normal(size=(500, 9))
    made = fit(np.column_stack([x, 3.0 * x[:, 4] + dice.normal(size=500)]).tolist())
    assert made.weights[4] == pytest.approx(3.0, abs=0.2)
    assert sum(weight is not None for weight in made.weights) <= 4


def test_a_constant_attribute_is_left_out() -> None:
    """An attribute that never changes has no weight, though its mean is not exactly its value."""
    made = fit([[0.1, float(row), 2.0 * row + 1.0] for row in range(1000)])
    assert made.weights[0] is None
    assert made.weights[1:] == pytest.approx([2.0])


def test_a_constant_target_is_the_model() -> None:
    """Where the target never changes, there is nothing to explain and no share of it explained."""
    made = fit([[float(row), 0.1] for row in range(7)])
    assert (made.weights, made.r2) == ([None], None)
    assert made.intercept == pytest.approx(0.1, rel=1e-15)


@settings(deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1e100, 1e100, exclude_min=True, exclude_max=True)] * 3), min_size=5, max_size=20)
)
def test_whatever_the_numbers_the_model_is_finite(rows: list[tuple[float, float, float]]) -> None:
    """Numbers up to the limit make a model of finite numbers, and no warning."""
    made = fit(rows)
    assert np.isfinite([made.intercept, made.rmse, *(weight or 0.0 for weight in made.weights)]).all()
    assert made.r2 is None or np.isfinite(made.r2)

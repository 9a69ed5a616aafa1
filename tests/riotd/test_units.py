"""Durations and sizes as people write them."""

import pytest

from riotd import units


@pytest.mark.parametrize(
    ("text", "value"),
    [("5ms", 0.005), ("1m30s", 90.0), ("2 h", 7200.0), (1.5, 1.5), ("250us", 0.00025), ("1d", 86400.0)],
)
def test_durations(text: str | float, value: float) -> None:
    """Units may be chained; a bare number is seconds."""
    assert units.seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["5", "fast", "5 parsecs", "", "5ms later", True, "ms"])
def test_no_duration(text: object) -> None:
    """What is none is refused with an example."""
    with pytest.raises(ValueError, match="write it like"):
        units.seconds(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "value"), [("90kB", 90_000), ("4MiB", 4 * 2**20), ("1.5 GB", 1_500_000_000), (7, 7)])
def test_sizes(text: str | float, value: int) -> None:
    """Decimal and binary units."""
    assert units.size(text) == value


@pytest.mark.parametrize("text", ["lots", "5 apples", "", "-1kB", True])
def test_no_size(text: object) -> None:
    """What is none is refused with an example."""
    with pytest.raises(ValueError, match="write it like"):
        units.size(text)  # type: ignore[arg-type]


def test_back_to_text() -> None:
    """A value is shown in the unit that reads best."""
    assert [units.duration_text(value) for value in (0.005, 90, 0, 2e-5)] == ["5ms", "1.5m", "0s", "20us"]
    assert [units.size_text(value) for value in (90_000, 12, 16e6)] == ["90kB", "12B", "16MB"]

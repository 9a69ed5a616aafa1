"""The scalar Kalman filter: a random walk seen through noise.

Kalman, "A New Approach to Linear Filtering and Prediction Problems", J. Basic Engineering 82 (1960);
RIoTBench's KAL, arXiv 1701.08530.
"""

from collections.abc import Sequence

from riot_tasks.algorithms.float32 import float32


class Kalman:
    """Estimate of a quantity that wanders, from noisy readings of it.

    The first reading is taken as the prior mean: it is its own estimate, and the estimates are of the
    readings' size from the start whatever that is.

    Args:
        process_noise: variance by which the quantity wanders between two readings (q).
        sensor_noise: variance of a reading (r).
        estimated_error: variance of the estimate before the first reading (P0).
    """

    __slots__ = ("_error", "_estimate", "_process_noise", "_sensor_noise")

    def __init__(self, process_noise: float, sensor_noise: float, estimated_error: float) -> None:
        self._process_noise = process_noise
        self._sensor_noise = sensor_noise
        self._error = estimated_error
        self._estimate: float | None = None

    def update(self, reading: float) -> float:
        """Take a reading, give the estimate; between the last estimate and the reading."""
        error = self._error + self._process_noise
        gain = error / (error + self._sensor_noise)
        self._error = (1.0 - gain) * error
        last = self._estimate
        self._estimate = estimate = reading if last is None else last + gain * (reading - last)
        return estimate

    def state(self) -> list[float | None]:
        """Estimate (None before the first reading) and its variance."""
        return [self._estimate, self._error]

    def load(self, state: Sequence[float | None]) -> None:
        """Go on from what `state` gave."""
        estimate, error = state
        self._estimate, self._error = estimate, error or 0.0


class Kalman32(Kalman):
    """The filter as RIoTBench runs it: from an estimate of 0, each step rounded to single precision."""

    __slots__ = ()

    def __init__(self, process_noise: float, sensor_noise: float, estimated_error: float) -> None:
        super().__init__(float32(process_noise), float32(sensor_noise), float32(estimated_error))
        self._estimate = 0.0

    def update(self, reading: float) -> float:
        """Take a reading, give the estimate."""
        last = self._estimate or 0.0
        error = float32(self._error + self._process_noise)
        gain = float32(error / float32(error + self._sensor_noise))
        step = float32(gain * float32(float32(reading) - last))
        self._estimate = estimate = float32(last + step)
        self._error = float32(float32(1.0 - gain) * error)
        return estimate

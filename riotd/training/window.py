"""How much history to learn from: the last so many rows, the last so many seconds, or all of it."""

from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from riotd.units import duration_text

Floats = npt.NDArray[np.float64]
Unit = Literal["rows", "seconds"]


class Window(msgspec.Struct, frozen=True):
    """A stretch of history that ends where something is to be foretold.

    Attributes:
        amount: how much; None is all there is.
        unit: of what.
    """

    amount: float | None = None
    unit: Unit = "rows"

    def start(self, times: Floats, end: int) -> int:
        """The first row of the stretch that ends before row `end`.

        Args:
            times: of all rows, Unix seconds, rising.
            end: at least 1.
        """
        if self.amount is None:
            return 0
        if self.unit == "rows":
            return max(0, end - round(self.amount))
        return int(np.searchsorted(times[:end], times[end - 1] - self.amount, side="left"))

    def __str__(self) -> str:
        if self.amount is None:
            return "all"
        return f"{round(self.amount):,} rows" if self.unit == "rows" else duration_text(self.amount)

    def plain(self) -> dict[str, Any]:
        """For programs."""
        return {"amount": self.amount, "unit": self.unit}

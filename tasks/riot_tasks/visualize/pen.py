"""What draws on a picture of 800 by 600 pixels, and how wide its words are, in matplotlib's own font."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path as File
from types import TracebackType
from typing import Any, Literal, Self

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.font_manager import get_font

WIDTH, HEIGHT = 800, 600
"""Pixels."""
POINTS = 0.75
"""Of a pixel."""
FONT = str(File(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))
MISSING = "\N{WHITE SQUARE}"
"""In the place of a character that the font lacks."""
_EM = 100.0
"""Size at which characters are measured, pixels; widths of others are in proportion."""

Align = Literal["left", "center", "right"]
Points = npt.NDArray[np.float64]
"""Rows of x and y, pixels from the lower left; a row with NaN breaks the line."""


class Pen(ABC):
    """A picture in the making; x and y are pixels from the lower left, sizes and widths pixels.

    To be used within its context, one at a time.
    """

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(  # noqa: B027 - most pens have nothing to put back
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put back."""

    @abstractmethod
    def line(self, points: Points, color: str, width: float = 1.0, dashes: Sequence[float] = ()) -> None:
        """A line from point to point; `dashes` are lengths, drawn and left out in turn."""

    @abstractmethod
    def dots(self, points: Points, color: str, radius: float) -> None:
        """A dot at each point."""

    @abstractmethod
    def box(self, left: float, bottom: float, width: float, height: float, fill: str) -> None:
        """A filled rectangle."""

    @abstractmethod
    def text(self, at: tuple[float, float], text: str, size: float, color: str, align: Align = "left") -> None:
        """Words whose baseline begins, ends or has its middle at a place."""

    @abstractmethod
    def picture(self) -> bytes:
        """The finished picture."""

    def width(self, text: str, size: float) -> float:
        """Pixels a text takes, kerning left out."""
        return sum(map(_advance, text)) * (size / _EM)


@lru_cache(maxsize=4096)
def _advance(character: str) -> float:
    """How far a character takes the pen, at `_EM`; of one that the font lacks what stands in its place."""
    font: Any = get_font(FONT)  # without types
    font.set_size(_EM, 72)
    code = ord(character)
    glyph = font.load_char(code if font.get_char_index(code) else ord(MISSING))
    return float(glyph.linearHoriAdvance) / 65536

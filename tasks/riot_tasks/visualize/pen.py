"""Strokes and words on a picture of 800 by 600 pixels, by matplotlib's renderers.

The renderers, without figure and axes: those ask for the size of every tick and text several times over, and a chart
of 10 series took 52 ms of CPU as SVG instead of 6, and 95 as PNG instead of 34. What a picture depends on is all here:
nobody's `matplotlibrc`, no date, no random identifiers; the same calls give the same bytes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO, StringIO
from pathlib import Path as File
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, IdentityTransform
from PIL import Image

WIDTH, HEIGHT = 800, 600
"""Pixels."""
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",  # texts stay texts: a third of the bytes, and they can be searched
    "svg.hashsalt": "riotd",  # identifiers by content
    "svg.id": None,
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # of nearly the same widths, for viewers without the first
    "path.simplify": True,
    "path.simplify_threshold": 1 / 9,
    "path.snap": True,
    "path.sketch": None,
    "path.effects": [],
    "agg.path.chunksize": 0,
    "text.antialiased": True,
    "text.hinting": "force_autohint",
}
"""What the renderers ask matplotlib's settings for."""
_Svg: Any = RendererSVG  # neither has types
_Agg: Any = RendererAgg

_POINTS = 0.75
"""Of a pixel."""
_FONT = str(File(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))
_MISSING = "\N{WHITE SQUARE}"

Align = Literal["left", "center", "right"]
Points = npt.NDArray[np.float64]
"""Rows of x and y, pixels from the lower left; a row with NaN breaks the line."""


@contextmanager
def settings() -> Iterator[None]:
    """What must hold from a pen's beginning to its end; the settings are the process's, so one pen at a time.

    matplotlib's own `rc_context` copies all 300 of them twice, which takes half as long as a chart.
    """
    all_of_them: dict[str, Any] = mpl.rcParams  # type: ignore[assignment]  # typed by key
    before = {key: all_of_them[key] for key in _SETTINGS if key in all_of_them}  # `svg.id` came with 3.10
    all_of_them.update((key, _SETTINGS[key]) for key in before)
    try:
        yield
    finally:
        all_of_them.update(before)


class Pen(ABC):
    """A picture in the making; x and y are pixels from the lower left, sizes and widths pixels."""

    def __init__(self, renderer: Any, scale: float) -> None:  # noqa: ANN401 - matplotlib's renderers have no types
        self._renderer, self._scale = renderer, scale
        self._transform = Affine2D().scale(scale)
        self._fonts: dict[float, FontProperties] = {}

    def line(self, points: Points, color: str, width: float = 1.0, dashes: Sequence[float] = ()) -> None:
        """A line from point to point; `dashes` are lengths, drawn and left out in turn."""
        self._renderer.draw_path(self._context(color, width, dashes), Path(points), self._transform)

    def dots(self, points: Points, color: str, radius: float) -> None:
        """A dot at each point."""
        size = Affine2D().scale(radius * self._scale)
        context, fill = self._context(color, 0.0), mpl.colors.to_rgba(color)
        self._renderer.draw_markers(context, Path.unit_circle(), size, Path(points), self._transform, fill)

    def box(self, left: float, bottom: float, width: float, height: float, fill: str) -> None:
        """A filled rectangle."""
        corners = Affine2D().scale(width, height).translate(left, bottom)
        shape = Path.unit_rectangle().transformed(corners)
        self._renderer.draw_path(self._context(fill, 0.0), shape, self._transform, mpl.colors.to_rgba(fill))

    def text(self, at: tuple[float, float], text: str, size: float, color: str, align: Align = "left") -> None:
        """Words whose baseline begins, ends or has its middle at a place."""
        x, y = at
        shift = {"left": 0.0, "center": 0.5, "right": 1.0}[align] * self.width(text, size)
        self._write((x, y), (x - shift, y), text, size, color, align)

    def width(self, text: str, size: float) -> float:
        """Pixels a text takes."""
        return _width(text, size)

    @abstractmethod
    def _write(  # noqa: PLR0913, PLR0917 - a private hand-over
        self, anchor: tuple[float, float], start: tuple[float, float], text: str, size: float, color: str, align: Align
    ) -> None:
        """Draw a text."""

    @abstractmethod
    def picture(self) -> bytes:
        """The finished picture."""

    def _context(self, color: str, width: float, dashes: Sequence[float] = ()) -> Any:  # noqa: ANN401 - as above
        context = self._renderer.new_gc()
        context.set_foreground(color)
        context.set_linewidth(width * _POINTS)  # points, whatever the coordinates are
        context.set_joinstyle("round")
        context.set_capstyle("butt")
        context.set_antialiased(True)
        if dashes:
            context.set_dashes(0, [length * _POINTS for length in dashes])
        return context

    def _font(self, size: float) -> FontProperties:
        if size not in self._fonts:
            self._fonts[size] = FontProperties(family="sans-serif", size=size * _POINTS, fname=_FONT)
        return self._fonts[size]


class SvgPen(Pen):
    """Draws SVG, in UTF-8; texts are texts."""

    def __init__(self, title: str) -> None:
        self._text = StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        renderer = _Svg(WIDTH * _POINTS, HEIGHT * _POINTS, self._text, metadata={"Title": title, **nothing})
        super().__init__(renderer, _POINTS)
        self._anchored = Text()
        self._anchored.set_rotation_mode("anchor")
        self._anchored.set_transform(IdentityTransform())

    def _write(  # noqa: PLR0913, PLR0917 - see there
        self, anchor: tuple[float, float], start: tuple[float, float], text: str, size: float, color: str, align: Align
    ) -> None:
        # the renderer asks it where the text is anchored, so that it stays there in whatever font
        self._anchored.set_position((anchor[0] * _POINTS, anchor[1] * _POINTS))
        self._anchored.set_horizontalalignment(align)
        x, y = start[0] * _POINTS, (HEIGHT - start[1]) * _POINTS
        self._renderer.draw_text(self._context(color, 0.0), x, y, text, self._font(size), 0.0, mtext=self._anchored)

    def picture(self) -> bytes:
        """The SVG."""
        self._renderer.finalize()
        return self._text.getvalue().encode()


class PngPen(Pen):
    """Draws PNG; a character that matplotlib's own font lacks is a white square."""

    def __init__(self, _title: str) -> None:
        super().__init__(_Agg(WIDTH, HEIGHT, 72 / _POINTS), 1.0)

    def _write(
        self,
        _anchor: tuple[float, float],
        start: tuple[float, float],
        text: str,
        size: float,
        color: str,
        _align: Align,
    ) -> None:
        context, font = self._context(color, 0.0), self._font(size)
        self._renderer.draw_text(context, start[0], HEIGHT - start[1], _drawable(text), font, 0.0)

    def picture(self) -> bytes:
        """The PNG, in the 256 colours that are most in it: a third of the bytes, in less time."""
        file = BytesIO()
        pixels = Image.frombuffer("RGBA", (WIDTH, HEIGHT), self._renderer.buffer_rgba(), "raw", "RGBA", 0, 1)
        few = pixels.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette, white = few.getpalette() or [], 3 * int(few.getpixel((0, 0)))  # type: ignore[arg-type]  # an index
        palette[white : white + 3] = (255, 255, 255)  # which the choice has made 254
        few.putpalette(palette)
        few.save(file, "png", compress_level=4)  # 6 takes twice as long for 4 % less
        return file.getvalue()


PENS: dict[str, type[SvgPen] | type[PngPen]] = {"svg": SvgPen, "png": PngPen}
"""Format name to what draws it."""


def _drawable(text: str) -> str:
    """The text with a square for each character that the font lacks: matplotlib would warn of it, over and over."""
    font = get_font(_FONT)
    return "".join(each if font.get_char_index(ord(each)) else _MISSING for each in text)


@lru_cache(maxsize=256)
def _width(text: str, size: float) -> float:
    width, _, _ = text_to_path.get_text_width_height_descent(
        _drawable(text), FontProperties(size=size, fname=_FONT), ismath=False
    )
    return float(width)

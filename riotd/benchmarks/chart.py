"""Measured rates beside published ones, as bars."""

from collections.abc import Sequence
from io import BytesIO

import msgspec

_OURS, _THEIRS = "#0072b2", "#999999"
"""From the palette of Okabe and Ito, which the colour-blind can tell apart."""


class Bar(msgspec.Struct, frozen=True):
    """One task's rates, messages a second."""

    name: str
    measured: float
    published: float | None

    @property
    def ratio(self) -> float | None:
        """Measured over published."""
        return self.measured / self.published if self.published else None


def svg(bars: Sequence[Bar], *, title: str, caption: str) -> bytes:
    """A chart of pairs of bars on a logarithmic scale, fastest first, each with its ratio.

    Raises:
        ImportError: matplotlib is not installed: `pip install 'riotd[plot]'`.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - half a second that only a chart needs
    from matplotlib.figure import Figure  # noqa: PLC0415

    ordered = sorted(bars, key=lambda bar: bar.measured)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "riotd", "font.size": 9}):
        figure = Figure(figsize=(9.0, 1.6 + 0.34 * len(ordered)), layout="constrained")
        axes = figure.add_subplot()
        places = range(len(ordered))
        axes.barh(
            [place + 0.2 for place in places], [bar.measured for bar in ordered], 0.38, color=_OURS, label="riotd"
        )
        theirs = [(place - 0.2, bar.published) for place, bar in enumerate(ordered) if bar.published]
        axes.barh(
            [place for place, _ in theirs], [rate for _, rate in theirs], 0.38,
            color=_THEIRS, label="published: one core, 2.2 GHz Xeon, 2016",
        )  # fmt: skip
        for place, bar in enumerate(ordered):
            text = f"{rate_text(bar.measured)}/s" + (
                f"   ({ratio_text(bar.ratio)} of the published)" if bar.ratio else ""
            )
            axes.annotate(
                text, (bar.measured, place + 0.2), (4, 0), textcoords="offset points", va="center", fontsize=8
            )
        axes.set_xscale("log")
        axes.set_xlim(right=max(bar.measured for bar in ordered) * 25)
        axes.set_yticks(list(places), [bar.name for bar in ordered])
        axes.set_ylim(-0.7, len(ordered) - 0.3)
        axes.set_xlabel("messages a second")
        axes.set_title(title, loc="left", fontsize=11)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower right", frameon=False)
        figure.supxlabel(caption, fontsize=7, color="#555555")
        picture = BytesIO()
        figure.savefig(picture, format="svg", metadata={"Date": None})
    return picture.getvalue()


def rate_text(rate: float) -> str:
    """A rate to three figures: 78,400, 12.3, 0.0167."""
    return f"{float(f'{rate:.3g}'):,.0f}" if rate >= 100 else f"{rate:.3g}"


def ratio_text(ratio: float) -> str:
    """A ratio as it is compared: 0.003, 1.24, 35, 1,200."""
    if ratio < 0.1:
        return f"{ratio:.1g}"
    return f"{ratio:.2f}" if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f}"

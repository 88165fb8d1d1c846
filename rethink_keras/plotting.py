"""One style for all plots: colours, fonts, new figures, and files that have the same bytes for the same numbers.

Matplotlib is imported when a figure is made, so that commands that plot nothing start without it.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rethink_keras.system.files import open_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#1b6ca8", "#c1440e", "#3b8f4a", "#7b4fa3", "#b8860b", "#555555")
INK, MUTED, RULE, PAPER_GREY = "#1d2733", "#66717e", "#d5dae0", "#9aa5b1"
_DOTS_PER_INCH = 130
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "rethink_keras",
    "figure.dpi": 100,
    "text.usetex": False,
}


@contextlib.contextmanager
def style(*, parse_math: bool = False) -> Iterator[None]:
    """Applies the style to figures that are made and saved within; also a decorator of functions.

    Characters that the font lacks are drawn as boxes, without a warning.

    Args:
        parse_math: Whether dollar signs enclose formulas. Logarithmic axes need that for their powers of ten; where
            texts come from users, a dollar sign stands for itself.
    """
    import matplotlib

    settings: Any = {**_STYLE, "text.parse_math": parse_math}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


def new_figure(
    width: float, height: float, *, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """Returns an empty figure of a size in inches, without the global state of `pyplot`.

    Args:
        width: Width in inches.
        height: Height in inches.
        layout: 'constrained' places axes so that no texts overlap. It takes as long as all other drawing: None leaves
            the places to the caller.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)


def colour(index: int) -> str:
    """Returns the colour of a curve by its index; colours repeat after the last."""
    return COLOURS[index % len(COLOURS)]


def open_axes(axes: Axes) -> None:
    """Draws a grid behind the data and removes the upper and right border."""
    axes.grid()
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def save_png(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG, under a temporary name first."""
    with open_atomically(path) as file:
        figure.savefig(file, format="png", dpi=_DOTS_PER_INCH)


def png_and_svg(figure: Figure) -> tuple[bytes, bytes]:
    """Returns a figure as PNG and as SVG, without dates or random names."""
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=200, facecolor="white")
    figure.set_layout_engine("none")  # the layout of the PNG holds for the SVG
    figure.savefig(svg, format="svg", metadata={"Date": None}, facecolor="white")
    return png.getvalue(), svg.getvalue()


def to_rgb(figure: Figure, dots_per_inch: int = 90) -> np.ndarray:
    """Returns a figure's pixels: uint8 `[height, width, 3]`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(dots_per_inch)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()

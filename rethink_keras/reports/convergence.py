"""How SGD comes to the minimum-norm solution, or does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rethink_keras.reports.learning_curves import COLOURS
from rethink_keras.system.files import open_atomically


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Writes a PNG: loss, and distance to the minimum-norm solution, by step, one colour a start.

    Args:
        rows: with 'initial_scale', 'step', 'loss', 'distance' and 'outside_of_span'.
        path: of the PNG.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained", dpi=130)
    loss, distance = figure.subplots(1, 2)
    scales = list(dict.fromkeys(row["initial_scale"] for row in rows))
    for number, scale in enumerate(scales):
        mine = [row for row in rows if row["initial_scale"] == scale]
        steps = [row["step"] for row in mine]
        label = "from zero" if scale == 0 else f"from weights of deviation {scale:g}"
        colour = COLOURS[number % len(COLOURS)]
        loss.plot(steps, [row["loss"] for row in mine], color=colour, label=label)
        distance.plot(steps, [row["distance"] for row in mine], color=colour, label=label)
        outside = [row["outside_of_span"] for row in mine]
        if scale:
            distance.plot(steps, outside, ":", color=colour, label="its part outside of the examples' span")
    loss.set(xlabel="step", ylabel="mean squared error", yscale="log")
    distance.set(xlabel="step", ylabel="distance to the solution of minimum norm, in its norm", yscale="log")
    for axes in (loss, distance):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    distance.legend(frameon=False, fontsize=9)
    figure.suptitle("SGD on fewer equations than unknowns")
    with open_atomically(path) as file:
        figure.savefig(file, format="png")

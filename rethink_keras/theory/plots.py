"""Plots of the experiments of section 5."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rethink_keras import plotting


@plotting.style(parse_math=True)
def plot_convergence(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Writes a PNG of SGD's loss and its distance to the minimum-norm solution by step, a colour a start.

    Args:
        rows: Measurements with 'initial_scale', 'step', 'loss', 'distance' and 'outside_of_span'.
        path: The PNG.
    """
    figure = plotting.new_figure(10, 4.6)
    loss, distance = figure.subplots(1, 2)
    for index, scale in enumerate(dict.fromkeys(row["initial_scale"] for row in rows)):
        of_start = [row for row in rows if row["initial_scale"] == scale]
        steps = [row["step"] for row in of_start]
        label = "from zero" if scale == 0 else f"from standard deviation {scale:g}"
        colour = plotting.colour(index)
        loss.plot(steps, [row["loss"] for row in of_start], color=colour, label=label)
        distance.plot(steps, [row["distance"] for row in of_start], color=colour, label=label)
        if scale:
            outside = [row["outside_of_span"] for row in of_start]
            distance.plot(steps, outside, ":", color=colour, label="part outside the examples' span")
    loss.set(xlabel="step", ylabel="mean squared error", yscale="log")
    distance.set(xlabel="step", ylabel="distance to the minimum-norm solution / its norm", yscale="log")
    for axes in (loss, distance):
        plotting.open_axes(axes)
    distance.legend()
    figure.suptitle("SGD on fewer equations than unknowns")
    plotting.save_png(figure, path)


@plotting.style()
def plot_filter_curve(rows: Sequence[dict[str, Any]], path: Path, title: str) -> None:
    """Writes a PNG of test and training error in percent by the number of random filters.

    Args:
        rows: Measurements with 'filters', 'test_error' and 'train_error'.
        path: The PNG.
        title: Title of the plot.
    """
    figure = plotting.new_figure(6, 4)
    axes = figure.subplots()
    filters = [row["filters"] for row in rows]
    for index, (split, line) in enumerate((("test", "o-"), ("train", "s--"))):
        errors = [row[f"{split}_error"] for row in rows]
        axes.plot(filters, errors, line, color=plotting.colour(index), label=split)
    axes.set_xscale("log", base=2)
    axes.set_xticks(filters, [f"{count:,}" for count in filters])
    axes.minorticks_off()
    axes.set(xlabel="random filters", ylabel="error (%)", ylim=(-1, None))
    plotting.open_axes(axes)
    axes.legend()
    figure.suptitle(title)
    plotting.save_png(figure, path)

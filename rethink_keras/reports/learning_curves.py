"""Learning curves of a few runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rethink_keras.system.files import open_atomically
from rethink_keras.workdir.columns import MetricsRow as Row

COLOURS = ("#1b6ca8", "#c1440e", "#3b8f4a", "#7b4fa3", "#b8860b", "#555555")


def plot(runs: Mapping[str, Sequence[Row]], path: Path, title: str) -> None:
    """Writes a PNG: accuracy and loss by epoch, one colour a run, training solid and test dashed.

    Args:
        runs: rows of `metrics.csv` by the run's name; at most as many runs as `COLOURS`.
        path: of the PNG.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained", dpi=130)
    accuracy, loss = figure.subplots(1, 2)
    for (name, rows), colour in zip(runs.items(), COLOURS, strict=False):
        epochs = [row["epoch"] for row in rows]
        for split, style in (("train", "-"), ("test", "--")):
            label = f"{name}, {split}"
            percent = [100 * row[f"{split}_accuracy"] for row in rows]
            accuracy.plot(epochs, percent, style, color=colour, label=label)
            loss.plot(epochs, [row[f"{split}_loss"] for row in rows], style, color=colour, label=label)
    accuracy.axhline(10, color="#999999", linewidth=0.8, zorder=0)
    accuracy.text(
        0.99,
        10.8,
        "chance",
        ha="right",
        color="#777777",
        fontsize=8,
        transform=accuracy.get_yaxis_transform(),
    )
    accuracy.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, 102))
    loss.set(xlabel="epoch", ylabel="cross-entropy")
    loss.set_yscale("log")
    for axes in (accuracy, loss):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    accuracy.legend(frameon=False, fontsize=9, loc="center right")
    figure.suptitle(title)
    with open_atomically(path) as file:
        figure.savefig(file, format="png")

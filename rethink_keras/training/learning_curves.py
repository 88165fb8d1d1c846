"""Plots of learning curves: of a few runs, and the plot that a run leaves in its workdir."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rethink_keras import plotting
from rethink_keras.training.run import Run
from rethink_keras.workdir.columns import MetricsRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEW = 30
"""Up to so many rows, each has a marker: a single one would have no line."""


@plotting.style(parse_math=True)
def plot(runs: Mapping[str, Sequence[MetricsRow]], path: Path, title: str, num_classes: int) -> None:
    """Writes a PNG of accuracy and loss by epoch: a colour a run, solid on training data, dashed on test data.

    Args:
        runs: Rows of `metrics.csv` by the run's name. The only run of a plot may have an empty name.
        path: The PNG.
        title: Title of the whole plot.
        num_classes: Of the data set; it determines the accuracy of chance.
    """
    figure = plotting.new_figure(10, 4.2)
    accuracy, loss = figure.subplots(1, 2)
    for index, (name, rows) in enumerate(runs.items()):
        epochs = [row["epoch"] for row in rows]
        marker = "." if len(rows) <= _FEW else None
        for split, line in (("train", "-"), ("test", "--")):
            label = _without_math(f"{name}, {split}" if name else split)
            options = {"color": plotting.colour(index), "label": label, "marker": marker}
            accuracy.plot(epochs, [100 * row[f"{split}_accuracy"] for row in rows], line, **options)
            loss.plot(epochs, [row[f"{split}_loss"] for row in rows], line, **options)
    _draw_chance(accuracy, 100 / num_classes)
    accuracy.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, 102))
    loss.set(xlabel="epoch", ylabel="cross-entropy", yscale=_loss_scale(runs))
    for axes in (accuracy, loss):
        axes.set_xlim(left=0)
        axes.xaxis.get_major_locator().set_params(integer=True)
        plotting.open_axes(axes)
    accuracy.legend(loc="best")
    figure.suptitle(_without_math(title))
    plotting.save_png(figure, path)


def write_curves(run: Run, rows: Sequence[MetricsRow]) -> None:
    """Writes curves.png of a run on the chief, if an epoch was evaluated.

    A plot is not worth a failed run: whatever goes wrong is printed as a note.

    Args:
        run: The run.
        rows: Its rows of `metrics.csv`.
    """
    path = run.folder.curves
    if not run.folder.writes or not rows:
        return
    randomization = run.config.splits.randomization.describe()
    title = f"{run.facts['model']} on {run.facts['dataset']}, {randomization}, seed {run.config.train.seed}"
    try:
        plot({"": rows}, path, title, len(run.class_names))
    except Exception as error:
        why = (str(error).splitlines() or [""])[0] or type(error).__name__
        print(f"Note: {path} cannot be written ({why}). The same command writes it again.", flush=True)


def _draw_chance(accuracy: Axes, percent: float) -> None:
    """Draws a line at the accuracy of a constant prediction."""
    accuracy.axhline(percent, color=plotting.MUTED, linewidth=0.8, zorder=0)
    at_the_right = accuracy.get_yaxis_transform()  # x as a share of the width, y in percent
    accuracy.text(
        0.99, percent + 0.8, "chance", ha="right", color=plotting.MUTED, fontsize=8, transform=at_the_right
    )


def _loss_scale(runs: Mapping[str, Sequence[MetricsRow]]) -> str:
    """Returns 'log' for losses of different powers of ten, else 'linear', whose ticks are round numbers."""
    losses = [row[f"{split}_loss"] for rows in runs.values() for row in rows for split in ("train", "test")]
    return "log" if max(losses) > 10 * min(losses) else "linear"


def _without_math(text: str) -> str:
    """Returns the text with dollar signs as they are, which would otherwise enclose formulas."""
    return text.replace("$", r"\$")

"""A plot of the learning curves of a few runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rethink_keras import plotting
from rethink_keras.workdir.columns import MetricsRow


@plotting.style(parse_math=True)
def plot(runs: Mapping[str, Sequence[MetricsRow]], path: Path, title: str) -> None:
    """Writes a PNG of accuracy and loss by epoch: a colour a run, solid on training data, dashed on test data.

    Args:
        runs: Rows of `metrics.csv` by the run's name.
        path: The PNG.
        title: Title of the whole plot.
    """
    figure = plotting.new_figure(10, 4.2)
    accuracy, loss = figure.subplots(1, 2)
    for index, (name, rows) in enumerate(runs.items()):
        epochs = [row["epoch"] for row in rows]
        for split, line in (("train", "-"), ("test", "--")):
            options = {"color": plotting.colour(index), "label": f"{name}, {split}"}
            accuracy.plot(epochs, [100 * row[f"{split}_accuracy"] for row in rows], line, **options)
            loss.plot(epochs, [row[f"{split}_loss"] for row in rows], line, **options)
    accuracy.axhline(10, color=plotting.MUTED, linewidth=0.8, zorder=0)
    at_the_right = accuracy.get_yaxis_transform()  # x as a share of the width, y in percent
    accuracy.text(0.99, 10.8, "chance", ha="right", color=plotting.MUTED, fontsize=8, transform=at_the_right)
    accuracy.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(0, 102))
    loss.set(xlabel="epoch", ylabel="cross-entropy", yscale="log")
    for axes in (accuracy, loss):
        plotting.open_axes(axes)
    accuracy.legend(loc="center right")
    figure.suptitle(title)
    plotting.save_png(figure, path)

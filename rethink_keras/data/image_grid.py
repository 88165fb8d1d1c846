"""Draws a grid of images with their labels, with a row for each randomization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rethink_keras import plotting
from rethink_keras.data.randomized_split import Examples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Options of a randomization that leave labels and images as they are.
TRUE = {"labels": "true", "corruption": None, "pixels": "true", "fraction": 1.0}


def grid(rows: Sequence[tuple[str, Examples]], class_names: Sequence[str], heading: str) -> Figure:
    """Returns a figure of images with their labels above them; replaced labels are red.

    Args:
        rows: Pairs of a title and examples, the same ones in each row under different randomizations.
        class_names: One for each class.
        heading: Text above the grid.
    """
    columns = len(rows[0][1].labels)
    figure = plotting.new_figure(1.15 * columns + 1.9, 1.45 * len(rows))
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (title, examples) in zip(axes, rows, strict=True):
        for cell, image, label, corrupted in zip(
            line, examples.images, examples.labels, examples.corrupted, strict=True
        ):
            pixels = np.clip(image / 255, 0, 1)
            cell.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            cell.set_title(class_names[label], fontsize=9, color="crimson" if corrupted else "black", pad=3)
            cell.set_xticks([])
            cell.set_yticks([])
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=10, labelpad=8)
    figure.suptitle(heading, fontsize=11)
    return figure

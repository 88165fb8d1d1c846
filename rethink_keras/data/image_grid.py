"""Images with their labels, for eyes: a grid that has a row for each randomization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rethink_keras import plotting
from rethink_keras.data.randomized import Examples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRUE = {"labels": "true", "corruption": None, "pixels": "true", "fraction": 1.0}


def grid(rows: Sequence[tuple[str, Examples]], class_names: Sequence[str], heading: str) -> Figure:
    """Draws the same examples in each row, differently randomized, each with its label above it.

    Labels drawn anew are set in red.

    Args:
        rows: pairs of a title and what the network is fed.
        class_names: one for each class.
        heading: above all.
    """
    columns = len(rows[0][1].labels)
    figure = plotting.new_figure(1.15 * columns + 1.9, 1.45 * len(rows))
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (title, examples) in zip(axes, rows, strict=True):
        for place, image, label, corrupted in zip(
            line, examples.images, examples.labels, examples.corrupted, strict=True
        ):
            pixels = np.clip(image / 255, 0, 1)
            place.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            place.set_title(class_names[label], fontsize=9, color="crimson" if corrupted else "black", pad=3)
            place.set_xticks([])
            place.set_yticks([])
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=10, labelpad=8)
    figure.suptitle(heading, fontsize=11)
    return figure

"""Images of a run's first batch, for the writers that show images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rethink_keras.data import image_grid
from rethink_keras.data.pipeline import Pipeline

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_IMAGES = 8


def first_batch(batches: Pipeline, batch_size: int) -> Figure:
    """Returns a grid of the first images of epoch 1: the originals above, the randomized ones below.

    Images are shown before augmentation.
    """
    split = batches.split
    rows = batches.order(0)[: min(batch_size, SHOWN_IMAGES)]
    lines = [
        ("original", split.under(image_grid.TRUE).examples(rows)),
        (split.randomization.describe().replace(", ", ",\n"), split.examples(rows)),
    ]
    heading = "First batch; labels in red were drawn anew"
    if batches.augmentation.in_force:
        heading += "; before augmentation"
    return image_grid.grid(lines, split.source.class_names, heading)

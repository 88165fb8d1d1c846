"""Writes the network's input to a numpy archive, for other frameworks, and to an image grid, to look at."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rethink_keras import plotting
from rethink_keras.data import image_grid
from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.system.files import open_atomically

PREVIEWED: tuple[tuple[str, dict], ...] = (
    ("true", {}),
    ("labels corrupted, p = 0.5", {"labels": "partially_corrupted", "corruption": 0.5}),
    ("random labels", {"labels": "random"}),
    ("shuffled pixels", {"pixels": "shuffled"}),
    ("random pixels", {"pixels": "random"}),
    ("Gaussian", {"pixels": "gaussian"}),
)


def export(split: RandomizedSplit, path: Path) -> None:
    """Writes the arrays of `Examples` and the names of the classes to an .npz file, which `sources.arrays` reads.

    Raises:
        UserError: The file cannot be written; an earlier file of that name is unchanged.
    """
    examples = split.examples()
    with _writing(path), open_atomically(path.resolve()) as file:
        np.savez_compressed(file, **examples._asdict(), class_names=np.array(split.source.class_names))


def preview(splits: Splits, split: str, columns: int, path: Path) -> None:
    """Writes a PNG grid with a row for each randomization of the paper and a column for each image.

    Args:
        splits: The data; its randomization only gives the seed.
        split: 'train' or 'test'.
        columns: Number of images, those with the lowest ids.
        path: File to write.

    Raises:
        UserError: The file cannot be written; an earlier file of that name is unchanged.
    """
    examples = splits.randomized(split)
    first = np.arange(min(columns, examples.num_examples))
    rows = [
        (title, examples.under({**image_grid.TRUE, **changes}).examples(first))
        for title, changes in PREVIEWED
    ]
    heading = f"{splits.dataset.name}, {split} set, seed {splits.randomization.seed}; replaced labels in red"
    figure = image_grid.grid(rows, splits.train.class_names, heading)
    with _writing(path):
        plotting.save_png(figure, path.resolve())


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Makes the folder of a file that the block writes, and reports errors of writing to the user."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except (OSError, ValueError) as error:  # ValueError for a figure that is too large
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{path} cannot be written ({reason}). Name another file with --output.") from error

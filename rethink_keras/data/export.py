"""What the network is fed, for other frameworks (a numpy archive) and for eyes (a grid of images)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rethink_keras import plotting
from rethink_keras.data import image_grid
from rethink_keras.data.randomized import RandomizedSplit
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
    """Writes the arrays `images`, `labels`, `original_labels`, `ids`, `corrupted` of `Examples` to an .npz file.

    Raises:
        UserError: if the file cannot be written; an earlier file of that name is left as it was.
    """
    examples = split.examples()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_atomically(path.resolve()) as file:
            np.savez_compressed(file, **examples._asdict())
    except OSError as error:
        raise _unwritable(path, error) from error


def preview(splits: Splits, split: str, columns: int, path: Path) -> None:
    """Writes a PNG grid: a row a randomization, a column an image, its label above it.

    Labels drawn anew are set in red. The images are those of the lowest ids, as the network sees them.

    Raises:
        UserError: if the file cannot be written; an earlier file of that name is left as it was.
    """
    fed = splits.randomized(split)
    first = np.arange(min(columns, fed.num_examples))
    rows = [
        (title, fed.under({**image_grid.TRUE, **changes}).examples(first)) for title, changes in PREVIEWED
    ]
    heading = (
        f"{splits.dataset.name}, {split} set, seed {splits.randomization.seed}; labels in red were drawn anew"
    )
    figure = image_grid.grid(rows, splits.train.class_names, heading)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        plotting.save_png(figure, path.resolve())
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> UserError:
    why = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return UserError(f"{path} cannot be written ({why}). Name another file with --output.")

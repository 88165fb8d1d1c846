"""What the network is fed, for other frameworks (a numpy archive) and for eyes (a grid of images)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from rethink_keras.data.randomized import RandomizedSplit
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError

TRUE = {"labels": "true", "corruption": None, "pixels": "true", "fraction": 1.0}
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
        UserError: if the file cannot be written.
    """
    examples = split.examples()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(file, **examples._asdict())
    except OSError as error:
        raise _unwritable(path, error) from error


def preview(splits: Splits, split: str, columns: int, path: Path) -> None:
    """Writes a PNG grid: a row a randomization, a column an image, its label above it.

    Labels drawn anew are set in red. The images are those of the lowest ids, as the network sees them.

    Raises:
        UserError: if the file cannot be written.
    """
    from matplotlib.figure import Figure

    fed = splits.randomized(split)
    rows = np.arange(min(columns, fed.num_examples))
    columns = len(rows)
    figure = Figure(figsize=(1.15 * columns + 1.9, 1.45 * len(PREVIEWED)), layout="constrained", dpi=130)
    grid = figure.subplots(len(PREVIEWED), columns, squeeze=False)
    for line, (title, changes) in zip(grid, PREVIEWED, strict=True):
        how = dataclasses.replace(splits.randomization, **{**TRUE, **changes})
        examples = RandomizedSplit(fed.source, how, fed.preprocessing, fed.statistics).examples(rows)
        names = splits.train.class_names
        for axes, image, label, corrupted in zip(
            line, examples.images, examples.labels, examples.corrupted, strict=True
        ):
            pixels = np.clip(image / 255, 0, 1)
            axes.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set_title(names[label], fontsize=9, color="crimson" if corrupted else "black", pad=3)
            axes.set_xticks([])
            axes.set_yticks([])
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=10, labelpad=8)
    name = (
        f"{splits.dataset.name}, {split} set, seed {splits.randomization.seed}; labels in red were drawn anew"
    )
    figure.suptitle(name, fontsize=11)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> UserError:
    why = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return UserError(f"{path} cannot be written ({why}). Name another file with --output.")

"""The experiment of section 4: how well networks of Theorem 1 fit samples of several sizes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gin
import numpy as np

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.theory import expressive_models, expressivity
from rethink_keras.theory.experiment import Experiment, ExperimentResult, experiment, facts_of
from rethink_keras.theory.features.features import flat_images
from rethink_keras.validation import check_choice, check_int, check_seed

MOST_DEPTH = 500  # Keras builds models recursively, and Python's limit stops it before 1,000 layers
POINTS = ("images", "random")
TARGETS = ("random", "labels")


@gin.configurable(denylist=["workdir", "data_dir", "overwrite"])
def expressivity_table(
    *,
    workdir: str | Path,
    data_dir: str | Path | None = None,
    overwrite: bool = False,
    points: Sequence[str] = POINTS,
    targets: str = "random",
    sizes: Sequence[int] = (1000, 10_000),
    depths: Sequence[int] = (2,),
    seed: int = 0,
) -> ExperimentResult:
    """Constructs the networks of Theorem 1 and its corollary for each kind of points and each size.

    Args:
        workdir: Folder of the run.
        data_dir: TFDS data folder; None for the default of TFDS.
        overwrite: Whether an earlier run in the workdir is moved aside.
        points: Kinds of points. 'images' are training images after `preprocessing`; 'random' is normal noise of the
            same shape.
        targets: 'random' for a draw from N(0, 1) for each example, 'labels' for the labels, randomized as configured.
        sizes: Numbers of examples n.
        depths: Depths of the Keras models; 2 is Theorem 1, more the corollary.
        seed: Seed of the direction, of random points and targets, and of the randomization.

    Returns:
        The summary, and a row for each kind of points, size and depth.

    Raises:
        UserError: The configuration cannot be used, or examples are equal.
        DataNotAvailableError: The data set is neither on disk nor available for download.
        StoppedBySignalError: SIGINT, SIGTERM or SIGHUP stopped the run.
    """
    for kind in points:
        check_choice("expressivity_table.points", kind, POINTS)
    check_choice("expressivity_table.targets", targets, TARGETS)
    if not points or not sizes or not depths:
        raise UserError("expressivity_table.points, sizes and depths need an entry each. Give at least one.")
    for depth in depths:
        check_int("expressivity_table.depths", depth, 2, MOST_DEPTH)
    check_seed("expressivity_table.seed", seed)
    with experiment(workdir, overwrite) as run:
        splits = Splits.from_gin(data_dir, seed)
        train, test = splits.randomized("train"), splits.randomized("test")
        if done := run.claim(facts_of(splits, train, test, seed)):
            return ExperimentResult(done, run.folder.path)
        for size in sizes:
            check_int("expressivity_table.sizes", size, 1, train.num_examples)
        images = flat_images(train)
        drawn = random_bits.normal(seed, Stream.TARGETS, 0, train.num_examples).astype(np.float64)
        wanted = drawn if targets == "random" else train.labels.astype(np.float64)
        rows = []
        for kind in points:
            for size in sizes:
                sample = images[:size] if kind == "images" else random_points(seed, size, images.shape[1])
                rows += _measure(sample.astype(np.float64), wanted[:size], kind, depths, seed, run)
                run.begin()
                run.write_rows(rows)
        return ExperimentResult(run.write("done", {"rows": rows}), run.folder.path)


def random_points(seed: int, count: int, dimensions: int) -> np.ndarray:
    """Returns normal noise: float32 `[count, dimensions]`, each row a function of (seed, its index)."""
    return np.stack([random_bits.normal(seed, Stream.TARGETS, 1 + k, dimensions) for k in range(count)])


def _measure(
    points: np.ndarray, targets: np.ndarray, kind: str, depths: Sequence[int], seed: int, run: Experiment
) -> list[dict[str, Any]]:
    begin = time.perf_counter()
    construction = expressivity.fit(points, targets, seed)
    constructed = time.perf_counter() - begin
    network = construction.network
    shared = {
        "points": kind,
        "examples": len(points),
        "dimensions": points.shape[1],
        "seconds_to_construct": round(constructed, 3),
        "smallest_gap": construction.smallest_gap,
        "condition": construction.condition,
        "largest_weight": float(abs(network.w).max()),
        "array_error": float(abs(network(points) - targets).max()),
    }
    rows = []
    for depth in depths:
        run.check_stop()
        model = expressive_models.deep_model(network, depth)
        begin = time.perf_counter()
        error = float(abs(expressive_models.evaluate(model, points) - targets).max())
        row = {
            **shared,
            "depth": depth,
            "width": max(layer.units for layer in model.layers if hasattr(layer, "units")),
            "weights": model.count_params(),
            "keras_error": error,
            "seconds_to_evaluate": round(time.perf_counter() - begin, 3),
        }
        rows.append(row)
        print(
            f"{kind}, n = {len(points):,}, d = {points.shape[1]:,}, depth {depth}: {row['weights']:,} weights, "
            f"largest error {row['array_error']:.1e} by arrays, {error:.1e} by Keras, condition "
            f"{construction.condition:.1e}, constructed in {constructed:.2f} s",
            flush=True,
        )
    return rows

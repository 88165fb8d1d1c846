"""The experiment of section 5 on implicit regularization: SGD from zero finds the minimum-norm solution.

With fewer equations than unknowns, X w = y has many solutions. Each step of SGD adds a linear combination of examples.
From zero it therefore stays in their span, which has one solution: Xᵀ(X Xᵀ)⁻¹ y. From other initial weights it ends
as far from that solution as the weights were outside the span.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gin
import keras
import numpy as np
import scipy.linalg
import tensorflow as tf

from rethink_keras.data import random_bits
from rethink_keras.data.dataset_options import options
from rethink_keras.data.pipeline import epoch_order
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.splits import Splits
from rethink_keras.errors import DivergedError, UserError
from rethink_keras.theory import plots
from rethink_keras.theory.experiment import Experiment, ExperimentResult, experiment, facts_of
from rethink_keras.theory.features.features import flat_images
from rethink_keras.theory.kernel_matrix import check_points, classification_error, one_hot
from rethink_keras.validation import check_fraction, check_int, check_number, check_seed

MEASUREMENTS = 200  # evenly spaced over the steps of a run


class Problem(NamedTuple):
    """The equations X w = y.

    Attributes:
        points: Matrix X, float64 `[examples, dimensions]`.
        targets: Right-hand sides y, float64 `[examples, classes]`.
        solution: Minimum-norm solution, float64 `[dimensions, classes]`.
        span: Orthonormal rows that span the examples, `[examples, dimensions]`.
    """

    points: np.ndarray
    targets: np.ndarray
    solution: np.ndarray
    span: np.ndarray


@gin.configurable(denylist=["workdir", "data_dir", "overwrite"])
def minimum_norm(
    *,
    workdir: str | Path,
    data_dir: str | Path | None = None,
    overwrite: bool = False,
    steps: int = 10_000,
    batch_size: int = 100,
    learning_rate: float = 0.01,
    momentum: float = 0.95,
    initial_scales: Sequence[float] = (0.0, 1e-3),
    seed: int = 0,
) -> ExperimentResult:
    """Trains a linear layer on one-hot targets by SGD and measures its distance to the minimum-norm solution.

    Args:
        workdir: Folder of the run.
        data_dir: TFDS data folder; None for the default of TFDS.
        overwrite: Whether an earlier run in the workdir is moved aside.
        steps: Number of steps of SGD on the mean squared error, in float64.
        batch_size: Number of examples in a step.
        learning_rate: Learning rate of SGD.
        momentum: Momentum of SGD.
        initial_scales: Standard deviations of the initial weights, a training each; 0 is the paper's claim.
        seed: Seed of the order of examples, of initial weights and of the randomization.

    Returns:
        The summary, with the last measurement of each training.

    Raises:
        UserError: The configuration cannot be used, examples are equal or linearly dependent, or there are not fewer
            examples than dimensions.
        DataNotAvailableError: The data set is neither on disk nor available for download.
        DivergedError: The loss is not finite.
        StoppedBySignalError: SIGINT, SIGTERM or SIGHUP stopped the run.
    """
    check_int("minimum_norm.steps", steps, 1, 10_000_000)
    check_number("minimum_norm.learning_rate", learning_rate, 1e-30, 1e30)
    check_fraction("minimum_norm.momentum", momentum)
    for scale in initial_scales:
        check_number("minimum_norm.initial_scales", scale, 0, 1e30)
    check_seed("minimum_norm.seed", seed)
    with experiment(workdir, overwrite) as run:
        splits = Splits.from_gin(data_dir, seed)
        train, test = splits.randomized("train"), splits.randomized("test")
        if done := run.claim(facts_of(splits, train, test, seed)):
            return ExperimentResult(done, run.folder.path)
        check_int("minimum_norm.batch_size", batch_size, 1, train.num_examples)
        points, test_points = (flat_images(split).astype(np.float64) for split in (train, test))
        problem = closed_form(points, one_hot(train.labels, train.source.num_classes))
        run.begin()
        order = _batches(seed, train.num_examples, batch_size, steps)
        rows: list[dict[str, Any]] = []
        for scale in initial_scales:
            start = initial_weights(seed, scale, problem.solution.shape)
            distance = DistanceMeasurement(problem, scale, steps, run)
            weights = train_linear_layer(problem, start, order, learning_rate, momentum, distance)
            rows += distance.rows
            run.write_rows(rows)
            test_error = classification_error(test_points @ weights, test.labels)
            print(_line(distance.rows[-1], test_error), flush=True)
        plots.plot_convergence(rows, run.folder.path / "distance.png")
        eigenvalues = scipy.linalg.eigvalsh(points @ points.T)
        metrics = {
            "final": [row for row in rows if row["step"] == steps],
            "minimum_norm": float(np.linalg.norm(problem.solution)),
            "condition": float(eigenvalues[-1] / eigenvalues[0]),
            "test_error_of_minimum_norm": classification_error(test_points @ problem.solution, test.labels),
        }
        return ExperimentResult(run.write("done", metrics), run.folder.path)


def closed_form(points: np.ndarray, targets: np.ndarray) -> Problem:
    """Returns the problem with its minimum-norm solution Xᵀ(X Xᵀ)⁻¹ y.

    Raises:
        UserError: There are not fewer examples than dimensions, or examples are equal or linearly dependent.
    """
    check_points(points)
    if len(points) >= points.shape[1]:
        raise UserError(
            f"{len(points)} examples in {points.shape[1]} dimensions leave one solution or none. Set "
            f"dataset.train_examples below {points.shape[1]}."
        )
    _, singular, span = scipy.linalg.svd(points, full_matrices=False)
    if singular[-1] < 1e-10 * singular[0]:
        raise UserError(
            "The examples are linearly dependent, so some targets have no solution. Set fewer dataset.train_examples."
        )
    solution = points.T @ scipy.linalg.solve(points @ points.T, targets, assume_a="pos")
    return Problem(points, targets, solution, span)


def initial_weights(seed: int, scale: float, shape: tuple[int, ...]) -> np.ndarray:
    """Returns normal weights with a standard deviation of `scale`: float64 `[dimensions, classes]`."""
    return scale * random_bits.normal(seed, Stream.INITIAL_WEIGHTS, 0, shape[0] * shape[1]).reshape(shape)


def train_linear_layer(
    problem: Problem,
    start: np.ndarray,
    order: np.ndarray,
    learning_rate: float,
    momentum: float,
    callback: keras.callbacks.Callback,
) -> np.ndarray:
    """Trains a linear layer without biases by SGD.

    Args:
        problem: The equations X w = y.
        start: Initial weights `[dimensions, classes]`.
        order: Indices of the examples of each step, int32 `[steps, batch size]`.
        learning_rate: Learning rate of SGD.
        momentum: Momentum of SGD.
        callback: Callback for `fit`.

    Returns:
        The weights, float64 `[dimensions, classes]`.
    """
    dimensions, classes = start.shape
    inputs = keras.Input((dimensions,), dtype="float64")
    layer = keras.layers.Dense(classes, use_bias=False, dtype="float64")
    model = keras.Model(inputs, layer(inputs))
    model.set_weights([start])
    optimizer = keras.optimizers.SGD(learning_rate, momentum=float(momentum))
    model.compile(optimizer=optimizer, loss="mse", jit_compile=False)
    points, targets = tf.constant(problem.points), tf.constant(problem.targets)
    batches = tf.data.Dataset.from_tensor_slices(order).map(
        lambda rows: (tf.gather(points, rows), tf.gather(targets, rows))
    )
    model.fit(batches.with_options(options()), epochs=1, verbose=0, shuffle=False, callbacks=[callback])
    return model.get_weights()[0]


class DistanceMeasurement(keras.callbacks.Callback):
    """Measures the loss and the distance to the minimum-norm solution at evenly spaced steps.

    Args:
        problem: The equations.
        scale: Standard deviation of the initial weights, for the rows.
        steps: Number of all steps.
        run: The run, for stopping.

    Attributes:
        rows: Measurements, a dictionary each.
    """

    def __init__(self, problem: Problem, scale: float, steps: int, run: Experiment):
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self._problem = problem
        self._scale = scale
        self._steps = steps
        self._every = max(1, steps // MEASUREMENTS)
        self._run = run

    def on_train_begin(self, logs=None):
        """Measures the initial weights."""
        del logs
        self._measure(0)

    def on_train_batch_end(self, batch, logs=None):
        """Measures if the step is due."""
        del logs
        step = batch + 1
        if step % self._every == 0 or step == self._steps:
            self._run.check_stop()
            self._measure(step)

    def _measure(self, step: int) -> None:
        weights, problem = self.model.get_weights()[0], self._problem
        off = weights - problem.solution
        outside = off - problem.span.T @ (problem.span @ off)
        loss = float(((problem.points @ weights - problem.targets) ** 2).mean())
        if not np.isfinite(loss):
            self._run.write("diverged", {"step": step})
            raise DivergedError(
                f"The loss is not finite after step {step}. Try a smaller minimum_norm.learning_rate."
            )
        length = np.linalg.norm(problem.solution)
        self.rows.append(
            {
                "initial_scale": self._scale,
                "step": step,
                "loss": loss,
                "distance": float(np.linalg.norm(off) / length),
                "outside_of_span": float(np.linalg.norm(outside) / length),
                "norm": float(np.linalg.norm(weights)),
            }
        )


def _batches(seed: int, count: int, batch_size: int, steps: int) -> np.ndarray:
    """Returns the examples of each step: int32 `[steps, batch_size]`, in epochs without their short last batch."""
    per_epoch = count // batch_size
    num_epochs = -(-steps // per_epoch)
    epochs = [epoch_order(seed, epoch, count)[: per_epoch * batch_size] for epoch in range(num_epochs)]
    return np.concatenate(epochs).reshape(-1, batch_size)[:steps]


def _line(row: dict[str, Any], test_error: float) -> str:
    return (
        f"From weights of standard deviation {row['initial_scale']:g}, after {row['step']:,} steps: "
        f"loss {row['loss']:.1e}, distance to the minimum-norm solution {row['distance']:.1e} of its norm, "
        f"outside the examples' span {row['outside_of_span']:.1e}, Err-te: {test_error:.2f}"
    )

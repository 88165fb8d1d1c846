"""Section 5: of all solutions of an over-parameterized linear problem, SGD from zero finds that of minimum norm.

With fewer equations than unknowns, X w = y has many solutions. SGD's steps are combinations of examples, so that
from zero it stays in their span, where there is but one solution: Xᵀ(X Xᵀ)⁻¹ y. From elsewhere it ends as far away
as it began outside of the span.
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
from rethink_keras.reports import convergence
from rethink_keras.theory.experiment import Experiment, Result, experiment, facts_of
from rethink_keras.theory.features.features import standardized
from rethink_keras.theory.kernel_matrix import check_points, one_hot
from rethink_keras.validation import check_fraction, check_int, check_number, check_seed

RECORDS = 200  # of a run, evenly spaced over its steps


class Problem(NamedTuple):
    """X w = y.

    Attributes:
        points: X, float64 `[examples, dimensions]`.
        targets: y, float64 `[examples, classes]`.
        solution: of minimum norm, float64 `[dimensions, classes]`.
        span: orthonormal rows that span the examples, `[examples, dimensions]`.
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
) -> Result:
    """Trains a linear layer by Keras's SGD on one-hot targets and follows its distance to the minimum-norm solution.

    Args:
        workdir: folder of the run.
        data_dir: TFDS data folder; None leaves it to TFDS.
        overwrite: moves an earlier run in the workdir aside.
        steps: of SGD, on the mean squared error, in float64.
        batch_size: examples of a step.
        learning_rate: of SGD.
        momentum: of SGD.
        initial_scales: standard deviations of the initial weights, a run each; 0 is the paper's claim.
        seed: of the order of examples, of initial weights and of the randomization.

    Raises:
        UserError: for a configuration that cannot be used, examples that are the same or depend on one another, or
            no fewer examples than dimensions.
        DivergedError: if the loss is not finite.
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
            return Result(done, run.folder.path)
        check_int("minimum_norm.batch_size", batch_size, 1, train.num_examples)
        points, test_points = (
            np.concatenate([i.reshape(len(i), -1) for i in standardized(s)]).astype(np.float64)
            for s in (train, test)
        )
        problem = closed_form(points, one_hot(train.labels, train.source.num_classes))
        run.begin()
        order = _batches(seed, train.num_examples, batch_size, steps)
        rows: list[dict[str, Any]] = []
        for scale in initial_scales:
            start = initial_weights(seed, scale, problem.solution.shape)
            record = Recorder(problem, scale, steps, run)
            weights = descend(problem, start, order, learning_rate, momentum, record)
            rows += record.rows
            run.write_rows(rows)
            print(_line(record.rows[-1], _error(test_points @ weights, test.labels)), flush=True)
        convergence.plot(rows, run.folder.path / "distance.png")
        eigenvalues = scipy.linalg.eigvalsh(points @ points.T)
        figures = {
            "final": [row for row in rows if row["step"] == steps],
            "minimum_norm": float(np.linalg.norm(problem.solution)),
            "condition": float(eigenvalues[-1] / eigenvalues[0]),
            "test_error_of_minimum_norm": _error(test_points @ problem.solution, test.labels),
        }
        return Result(run.write("done", figures), run.folder.path)


def closed_form(points: np.ndarray, targets: np.ndarray) -> Problem:
    """The minimum-norm solution Xᵀ(X Xᵀ)⁻¹ y.

    Raises:
        UserError: if there are not fewer examples than dimensions, or examples are the same or depend on one another.
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
            "The examples depend on one another, so that some targets have no solution. Set fewer "
            "dataset.train_examples."
        )
    solution = points.T @ scipy.linalg.solve(points @ points.T, targets, assume_a="pos")
    return Problem(points, targets, solution, span)


def initial_weights(seed: int, scale: float, shape: tuple[int, ...]) -> np.ndarray:
    """Normal weights of a standard deviation: float64 `[dimensions, classes]`."""
    return scale * random_bits.normal(seed, Stream.INITIAL_WEIGHTS, 0, shape[0] * shape[1]).reshape(shape)


def descend(
    problem: Problem,
    start: np.ndarray,
    order: np.ndarray,
    learning_rate: float,
    momentum: float,
    record: Recorder,
) -> np.ndarray:
    """Runs Keras's SGD on a linear layer without biases from `start`; returns the weights.

    Args:
        problem: X w = y.
        start: initial weights `[dimensions, classes]`.
        order: int32 `[steps, batch size]`, the examples of each step.
        learning_rate: of SGD.
        momentum: of SGD.
        record: told of every step.
    """
    classes = problem.targets.shape[1]
    model = keras.Sequential(
        [
            keras.Input((len(start),), dtype="float64"),
            keras.layers.Dense(classes, use_bias=False, dtype="float64"),
        ]
    )
    model.set_weights([start])
    optimizer = keras.optimizers.SGD(learning_rate, momentum=float(momentum))
    model.compile(optimizer=optimizer, loss="mse", jit_compile=False)
    points, targets = tf.constant(problem.points), tf.constant(problem.targets)
    batches = tf.data.Dataset.from_tensor_slices(order).map(
        lambda rows: (tf.gather(points, rows), tf.gather(targets, rows))
    )
    model.fit(batches.with_options(options()), epochs=1, verbose=0, shuffle=False, callbacks=[record])
    return model.get_weights()[0]


class Recorder(keras.callbacks.Callback):
    """Measures the weights at evenly spaced steps: `rows`, a dictionary each."""

    def __init__(self, problem: Problem, scale: float, steps: int, run: Experiment):
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self._problem = problem
        self._scale = scale
        self._steps = steps
        self._every = max(1, steps // RECORDS)
        self._run = run

    def on_train_begin(self, logs=None):
        """Measures the initial weights."""
        del logs
        self._measure(0)

    def on_train_batch_end(self, batch, logs=None):
        """Measures now and then."""
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
    """The examples of each step: int32 `[steps, batch_size]`, epochs in their order without short batches."""
    a_epoch = count // batch_size
    epochs = [epoch_order(seed, e, count)[: a_epoch * batch_size] for e in range(-(-steps // a_epoch))]
    return np.concatenate(epochs).reshape(-1, batch_size)[:steps]


def _error(scores: np.ndarray, labels: np.ndarray) -> float:
    """In percent."""
    return 100 * float((scores.argmax(axis=1) != labels).mean())


def _line(row: dict[str, Any], test_error: float) -> str:
    return (
        f"From weights of deviation {row['initial_scale']:g}, after {row['step']:,} steps: loss {row['loss']:.1e}, "
        f"distance to the minimum-norm solution {row['distance']:.1e} of its norm, outside of the examples' span "
        f"{row['outside_of_span']:.1e}, Err-te: {test_error:.2f}"
    )

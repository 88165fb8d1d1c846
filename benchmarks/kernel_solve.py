"""Our kernel solver beside scipy's plain float64 solve, on MNIST.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.kernel_solve --examples=10000 --pairs=3

Each in turn builds the Gaussian kernel matrix over the same digits and solves for one-hot targets: scipy with the
matrix in float64 and `scipy.linalg.solve(assume_a="pos")`, ours by `@direct` with its defaults. Prints the times pair
by pair, the median of their ratios, the relative difference of the coefficients in the 2-norm, and on how many of the
10,000 test digits the predictions differ.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import sys
import tempfile
import time

import numpy as np
import scipy.linalg
from absl import flags

from rethink_keras.data.sources.tfds_source import Mnist
from rethink_keras.theory.experiment import experiment
from rethink_keras.theory.kernel_matrix import KernelMatrix, PointProducts, one_hot
from rethink_keras.theory.kernels import GaussianKernel
from rethink_keras.theory.parallel import workers
from rethink_keras.theory.solvers import DirectSolver

GAMMA = 0.02


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_integer("examples", 10_000, "Training digits.", flag_values=values)
    flags.DEFINE_integer("pairs", 3, "How often each is timed.", flag_values=values)
    flags.DEFINE_string("data_dir", None, "TFDS data folder.", flag_values=values)
    values(sys.argv)
    mnist = Mnist("mnist")
    train = mnist.open("train", values.data_dir, values.examples)
    test = mnist.open("test", values.data_dir, None)
    points, test_points = (s.images.reshape(s.num_examples, -1) / np.float32(255) for s in (train, test))
    targets = one_hot(train.labels, train.num_classes)
    ratios = []
    for _ in range(values.pairs):
        begin = time.perf_counter()
        theirs = scipy.linalg.solve(_kernel(points, points), targets, assume_a="pos", overwrite_a=True)
        middle = time.perf_counter()
        ours, predictions = _ours(points, test_points, targets)
        seconds = middle - begin, ours[1]
        ratios.append(seconds[0] / seconds[1])
        print(f"scipy {seconds[0]:.1f} s, ours {seconds[1]:.1f} s: {ratios[-1]:.2f}", flush=True)
    difference = np.linalg.norm(ours[0] - theirs) / np.linalg.norm(theirs)
    kernel = _kernel(test_points, points)
    differing = int(((kernel @ theirs).argmax(axis=1) != predictions).sum())
    print(
        f"scipy takes {statistics.median(ratios):.2f} times as long as ours (median of {values.pairs} pairs)\n"
        f"coefficients differ by {difference:.1e}, predictions on {differing} of {len(predictions):,} digits"
    )


def _kernel(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    rows, columns = rows.astype(np.float64), columns.astype(np.float64)
    squares = (rows**2).sum(axis=1)[:, np.newaxis] + (columns**2).sum(axis=1)
    return np.exp(-GAMMA * np.maximum(squares - 2 * rows @ columns.T, 0))


def _ours(points, test_points, targets) -> tuple[tuple[np.ndarray, float], np.ndarray]:
    """Coefficients and the seconds they took, and the predicted classes of the test points."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        begin = time.perf_counter()
        with workers() as pool, experiment(folder, overwrite=False) as run:
            matrix = KernelMatrix(PointProducts(points, test_points), GaussianKernel(GAMMA), 0.0, pool)
            alpha = DirectSolver().solve(matrix, targets, run, "benchmark").x
            seconds = time.perf_counter() - begin
            return (alpha, seconds), matrix.test_times(alpha).argmax(axis=1)


if __name__ == "__main__":
    main()

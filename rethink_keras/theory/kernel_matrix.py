"""Kernel matrices that are never stored: blocks are computed when they are needed.

A kernel is a function of inner products and squared norms. Inner products are computed from points in memory
(`PointProducts`) or summed over blocks of features (`features.summed_products.SummedProducts`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

import numpy as np

from rethink_keras.errors import UserError
from rethink_keras.theory.kernels import Kernel
from rethink_keras.theory.parallel import panels

PANEL = 2048  # examples in a panel
CHUNK = 512  # rows of a panel that a thread computes at a time


class Products(Protocol):
    """Inner products of examples.

    Attributes:
        squares: Squared norms of the training examples, float64 `[examples]`.
        test_squares: Squared norms of the test examples, float64 `[test examples]`.
    """

    squares: np.ndarray
    test_squares: np.ndarray

    def train(self, rows: slice, columns: slice, dtype: type) -> np.ndarray:
        """Returns those among training examples, as a new array `[rows, columns]`.

        Args:
            rows: Rows within one panel.
            columns: One whole panel, not after that of the rows.
            dtype: `np.float32` or `np.float64`.
        """

    def test(self, rows: slice, columns: slice) -> np.ndarray:
        """Returns those of test examples (rows) with training examples, as a new float64 array."""

    def some(self, rows: slice, chosen: np.ndarray) -> np.ndarray:
        """Returns those of training examples in one panel with chosen training examples, as a new float64 array."""


class PointProducts:
    """Inner products of points in memory.

    Args:
        points: Training points, float32 `[examples, dimensions]`, finite and all different.
        test_points: Test points, float32 `[test examples, dimensions]`.

    Raises:
        UserError: There are no points, some are not finite, or two are equal.
    """

    def __init__(self, points: np.ndarray, test_points: np.ndarray):
        check_points(points)
        used = points.any(axis=0) | test_points.any(axis=0)  # MNIST's margins are black in all images
        single = np.ascontiguousarray(points[:, used], np.float32)
        self._points: dict[type, np.ndarray] = {np.float32: single, np.float64: single.astype(np.float64)}
        self._test = test_points[:, used].astype(np.float64)
        self.squares = _squares(self._points[np.float64])
        self.test_squares = _squares(self._test)

    def train(self, rows: slice, columns: slice, dtype: type) -> np.ndarray:
        """Returns inner products among training examples; see `Products`."""
        points = self._points[dtype]
        return points[rows] @ points[columns].T

    def test(self, rows: slice, columns: slice) -> np.ndarray:
        """Returns inner products of test examples with training examples; see `Products`."""
        return self._test[rows] @ self._points[np.float64][columns].T

    def some(self, rows: slice, chosen: np.ndarray) -> np.ndarray:
        """Returns inner products with chosen training examples; see `Products`."""
        points = self._points[np.float64]
        return points[rows] @ points[chosen].T


class KernelMatrix:
    """The matrix K of a kernel over the training examples, plus a multiple of the identity.

    Args:
        products: Inner products of the examples.
        kernel: The kernel.
        ridge: Number added to the diagonal; 0 interpolates.
        pool: Threads that compute blocks.

    Attributes:
        ridge: Number added to the diagonal.
        pool: Threads that compute blocks.
        num_examples: Number of training examples.
        panels: The training examples in panels.
    """

    def __init__(self, products: Products, kernel: Kernel, ridge: float, pool: Executor):
        self._products = products
        self._kernel = kernel
        self.ridge = ridge
        self.pool = pool
        self.num_examples = len(products.squares)
        self.panels = panels(self.num_examples, PANEL)

    def block(self, rows: slice, columns: slice, dtype: type) -> np.ndarray:
        """Returns K + ridge at `[rows, columns]`, a new array; see `Products.train` for the arguments."""
        squares = self._products.squares
        values = self._kernel(self._products.train(rows, columns, dtype), squares[rows], squares[columns])
        if self.ridge and rows.start < columns.stop:
            own = np.arange(rows.start, rows.stop)
            values[own - rows.start, own - columns.start] += self.ridge
        return values

    def some(self, rows: slice, chosen: np.ndarray) -> np.ndarray:
        """Returns K + ridge at `[rows, chosen]`, float64, for rows within one panel."""
        squares = self._products.squares
        values = self._kernel(self._products.some(rows, chosen), squares[rows], squares[chosen])
        values[np.arange(rows.start, rows.stop)[:, np.newaxis] == chosen] += self.ridge
        return values

    def diagonal(self) -> np.ndarray:
        """Returns the diagonal of K + ridge: float64 `[examples]`."""
        return self._kernel.diagonal(self._products.squares) + self.ridge

    def times(self, vectors: np.ndarray, advance: Callable[[int], None] = lambda _: None) -> np.ndarray:
        """Returns (K + ridge) times vectors. Blocks below the diagonal are computed once and used for both halves.

        Args:
            vectors: Vectors, float64 `[examples, columns]`.
            advance: Called from the threads with the number of values of K that are finished.

        Returns:
            float64 `[examples, columns]`, the same bits for any number of threads.
        """

        def panel(number: int) -> np.ndarray:
            rows = self.panels[number]
            part = np.zeros((rows.stop, vectors.shape[1]))
            for chunk in panels(rows.stop, CHUNK, rows.start):
                for columns in self.panels[:number]:
                    values = self.block(chunk, columns, np.float64)
                    part[chunk] += values @ vectors[columns]
                    part[columns] += (transposed[:, chunk] @ values).T  # faster than values.T @ vectors
                    advance(values.size)
                own = self.block(chunk, rows, np.float64)
                part[chunk] += own @ vectors[rows]
                advance(own.size)
            return part

        transposed = np.ascontiguousarray(vectors.T)
        total = np.zeros_like(vectors)
        for part in self.pool.map(panel, reversed(range(len(self.panels)))):  # the largest panels first
            total[: len(part)] += part
        return total

    def test_times(self, vectors: np.ndarray) -> np.ndarray:
        """Returns the kernel between test and training examples times vectors: float64 `[test examples, columns]`."""
        products = self._products

        def rows_times(rows: slice) -> np.ndarray:
            result = np.zeros((rows.stop - rows.start, vectors.shape[1]))
            for columns in self.panels:
                inner = products.test(rows, columns)
                values = self._kernel(inner, products.test_squares[rows], products.squares[columns])
                result += values @ vectors[columns]
            return result

        return np.concatenate(list(self.pool.map(rows_times, panels(len(products.test_squares), CHUNK))))


def check_points(points: np.ndarray) -> None:
    """Raises UserError if there are no points, some are not finite, or two are equal."""
    if not len(points):
        raise UserError("There are no points. Give at least one training example.")
    if not np.isfinite(points).all():
        raise UserError("Some points are not finite (NaN or infinite). Check the data and the preprocessing.")
    first: dict[bytes, int] = {}
    for row, point in enumerate(points):
        digest = hashlib.sha256(np.ascontiguousarray(point).data).digest()
        if digest in first:
            raise UserError(
                f"Training examples {first[digest]} and {row} are the same image, so nothing interpolates all labels. "
                "Leave one out, or use fewer training examples."
            )
        first[digest] = row


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns one-hot targets, float64 `[examples, num_classes]`, of int labels `[examples]`.

    Raises:
        UserError: A label is not in [0, num_classes).
    """
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise UserError(
            f"There are labels from {labels.min()} to {labels.max()}, but {num_classes} targets. "
            "Give a target for each class."
        )
    return np.eye(num_classes)[labels]


def classification_error(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the percentage of examples whose largest score, of `[examples, classes]`, is not that of their label."""
    return 100 * float((scores.argmax(axis=1) != labels).mean())


def _squares(points: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", points, points)

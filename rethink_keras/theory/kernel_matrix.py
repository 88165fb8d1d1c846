"""Kernel matrices that are never held: blocks are computed when they are asked for.

A kernel is a function of inner products and squared norms. Inner products come from points in memory
(`PointProducts`) or were summed up over features that streamed by (`features.SummedProducts`).
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

PANEL = 2048  # examples of a panel
CHUNK = 512  # rows of a panel that one thread works on at a time


class Products(Protocol):
    """Inner products of examples."""

    @property
    def squares(self) -> np.ndarray:
        """float64 `[examples]`, squared norms of the training examples."""
        ...

    @property
    def test_squares(self) -> np.ndarray:
        """float64 `[test examples]`, likewise."""
        ...

    def train(self, rows: slice, columns: slice, dtype: type) -> np.ndarray:
        """Among training examples, a new array; `rows` in one panel, `columns` one panel, not after it."""
        ...

    def test(self, rows: slice, columns: slice) -> np.ndarray:
        """Of test examples with training examples, a new float64 array."""
        ...

    def some(self, rows: slice, chosen: np.ndarray) -> np.ndarray:
        """Of training examples in one panel with chosen ones, a new float64 array."""
        ...


class PointProducts:
    """Inner products of points in memory.

    Args:
        points: float32 `[examples, dimensions]`, finite.
        test_points: float32 `[test examples, dimensions]`.

    Raises:
        UserError: if there are no points, one is not finite, or one stands twice.
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
        """See `Products`."""
        points = self._points[dtype]
        return points[rows] @ points[columns].T

    def test(self, rows: slice, columns: slice) -> np.ndarray:
        """See `Products`."""
        return self._test[rows] @ self._points[np.float64][columns].T

    def some(self, rows: slice, chosen: np.ndarray) -> np.ndarray:
        """See `Products`."""
        points = self._points[np.float64]
        return points[rows] @ points[chosen].T


class KernelMatrix:
    """The matrix K of a kernel over the training examples, with a multiple of the identity added.

    Args:
        products: inner products of the examples.
        kernel: `gaussian()` or `linear()`.
        ridge: added to the diagonal; 0 interpolates.
        pool: threads that work on blocks.
    """

    def __init__(self, products: Products, kernel: Kernel, ridge: float, pool: Executor):
        self._products = products
        self._kernel = kernel
        self.ridge = ridge
        self.pool = pool
        self.num_examples = len(products.squares)
        self.panels = panels(self.num_examples, PANEL)

    def block(self, rows: slice, columns: slice, dtype: type) -> np.ndarray:
        """Values `[rows, columns]` of K plus ridge, a new array; `rows` as `Products.train` takes them."""
        squares = self._products.squares
        values = self._kernel(self._products.train(rows, columns, dtype), squares[rows], squares[columns])
        if self.ridge and rows.start < columns.stop:
            own = np.arange(rows.start, rows.stop)
            values[own - rows.start, own - columns.start] += self.ridge
        return values

    def some(self, rows: slice, chosen: np.ndarray) -> np.ndarray:
        """Some columns: float64 `[rows, chosen]` of K plus ridge, for `rows` in one panel."""
        squares = self._products.squares
        values = self._kernel(self._products.some(rows, chosen), squares[rows], squares[chosen])
        values[np.arange(rows.start, rows.stop)[:, np.newaxis] == chosen] += self.ridge
        return values

    def diagonal(self) -> np.ndarray:
        """float64 `[examples]`."""
        squares = self._products.squares
        return self._kernel.diagonal(squares) + self.ridge

    def times(self, vectors: np.ndarray, advance: Callable[[int], None] = lambda _: None) -> np.ndarray:
        """(K + ridge) times vectors, in float64; every block is computed anew and used for its mirror image too.

        Args:
            vectors: float64 `[examples, columns]`.
            advance: called from the threads with the number of values of K that are done.

        Returns:
            float64 `[examples, columns]`, the same to the bit whatever the number of threads.
        """

        def panel(number: int) -> np.ndarray:
            rows = self.panels[number]
            part = np.zeros((rows.stop, vectors.shape[1]))
            for chunk in _chunks(rows):
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
        """The kernel between test and training examples times vectors: float64 `[test examples, columns]`."""
        products = self._products

        def rows_times(rows: slice) -> np.ndarray:
            result = np.zeros((rows.stop - rows.start, vectors.shape[1]))
            for columns in self.panels:
                values = self._kernel(
                    products.test(rows, columns),
                    products.test_squares[rows],
                    products.squares[columns],
                )
                result += values @ vectors[columns]
            return result

        return np.concatenate(list(self.pool.map(rows_times, panels(len(products.test_squares), CHUNK))))


def check_points(points: np.ndarray) -> None:
    """Raises UserError for no points, for one that is not finite and for one that stands twice."""
    if not len(points):
        raise UserError("There are no points. Give at least one training example.")
    if not np.isfinite(points).all():
        raise UserError("Some points are not finite (NaN or infinite). Check the data and the preprocessing.")
    first: dict[bytes, int] = {}
    for row, point in enumerate(points):
        digest = hashlib.sha256(np.ascontiguousarray(point).data).digest()
        if digest in first:
            raise UserError(
                f"Training examples {first[digest]} and {row} are the same image, so that nothing interpolates "
                "all labels. Leave one out, or take fewer training examples."
            )
        first[digest] = row


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """float64 targets `[examples, num_classes]` of int labels `[examples]`.

    Raises:
        UserError: if a label has no target.
    """
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise UserError(
            f"There are labels from {labels.min()} to {labels.max()}, but {num_classes} targets. "
            "Give a target for each class."
        )
    return np.eye(num_classes)[labels]


def _squares(points: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", points, points)


def _chunks(rows: slice) -> list[slice]:
    return [slice(start, min(start + CHUNK, rows.stop)) for start in range(rows.start, rows.stop, CHUNK)]

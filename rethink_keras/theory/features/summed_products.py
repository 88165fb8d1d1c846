"""Inner products summed over blocks of features, which are never in memory together.

The inner product over all features is the sum of those over the blocks. So memory does not grow with the number of
features: 32,000 filters have 256,000 features, which would take 51 GB for CIFAR-10's training set.
"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from rethink_keras.theory.kernel_matrix import CHUNK, PANEL
from rethink_keras.theory.parallel import panels


class SummedProducts:
    """Inner products divided by the number of features, so that their magnitude does not depend on it; see `Products`.

    The lower half of those among training examples is in memory, and all of those with test examples, in float32.

    Args:
        num_train: Number of training examples.
        num_test: Number of test examples.
    """

    def __init__(self, num_train: int, num_test: int):
        self.num_features = 0
        self._rows = panels(num_train, PANEL)
        self._train = [np.zeros((rows.stop - rows.start, rows.stop), np.float32) for rows in self._rows]
        self._test = np.zeros((num_test, num_train), np.float32)
        self._sums, self._test_sums = np.zeros(num_train), np.zeros(num_test)  # of squares
        self.squares, self.test_squares = self._sums, self._test_sums

    def add(self, train: np.ndarray, test: np.ndarray, pool: Executor) -> None:
        """Adds a block of features: float32 `[training examples, features]` and `[test examples, features]`."""

        def add_train(work: tuple[np.ndarray, slice, slice]) -> None:
            panel, rows, chunk = work
            own = train[rows.start + chunk.start : rows.start + chunk.stop]
            panel[chunk] += own @ train[: rows.stop].T

        def add_test(chunk: slice) -> None:
            self._test[chunk] += test[chunk] @ train.T

        work = [
            (panel, rows, chunk)
            for panel, rows in zip(self._train, self._rows, strict=True)
            for chunk in panels(len(panel), CHUNK)
        ]
        for _ in (*pool.map(add_train, work), *pool.map(add_test, panels(len(test), CHUNK))):
            pass
        self._sums += np.einsum("nf,nf->n", train, train, dtype=np.float64)
        self._test_sums += np.einsum("nf,nf->n", test, test, dtype=np.float64)
        self.num_features += train.shape[1]
        self.squares = self._sums / self.num_features
        self.test_squares = self._test_sums / self.num_features

    def train(self, rows: slice, columns: slice, dtype: type) -> np.ndarray:
        """Returns inner products among training examples; see `Products`."""
        panel = self._train[rows.start // PANEL]
        start = rows.start // PANEL * PANEL
        return panel[rows.start - start : rows.stop - start, columns].astype(dtype) / dtype(self.num_features)

    def test(self, rows: slice, columns: slice) -> np.ndarray:
        """Returns inner products of test examples with training examples; see `Products`."""
        return self._test[rows, columns].astype(np.float64) / self.num_features

    def some(self, rows: slice, chosen: np.ndarray) -> np.ndarray:
        """Returns inner products with chosen training examples; see `Products`."""
        values = np.empty((rows.stop - rows.start, len(chosen)))
        panel = self._train[rows.start // PANEL]
        before = chosen < rows.stop
        values[:, before] = panel[:, chosen[before]]
        for column in np.flatnonzero(~before):  # above the diagonal: stored below it
            other = chosen[column]
            values[:, column] = self._train[other // PANEL][other % PANEL, rows]
        block = panel[:, rows]
        mirrored = np.tril(block) + np.tril(block, -1).T
        within = (chosen >= rows.start) & (chosen < rows.stop)
        values[:, within] = mirrored[:, chosen[within] - rows.start]
        return values / self.num_features


def products_bytes(num_train: int, num_test: int) -> int:
    """Returns the bytes of `SummedProducts`."""
    return 4 * (sum((p.stop - p.start) * p.stop for p in panels(num_train, PANEL)) + num_train * num_test)

"""Cholesky factorization of a kernel matrix in panels of rows, in half the memory of the matrix.

With rows and columns in panels, K = L Lᵀ reads block by block, for column panels j < i:

    L[i, j] = (K[i, j] - Σ_{k<j} L[i, k] L[j, k]ᵀ) L[j, j]⁻ᵀ
    L[i, i] = cholesky(K[i, i] - Σ_{k<i} L[i, k] L[i, k]ᵀ)

This is the left-looking variant: panel i needs the panels before it and blocks of K that are computed when they are
needed. So K is never stored, a finished panel never changes and can be saved, and threads share a panel by its rows.
A panel stores L[i, i]⁻¹ in place of L[i, i], which turns triangular solves into matrix products.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg

from rethink_keras.errors import UserError
from rethink_keras.theory.kernel_matrix import CHUNK, PANEL, KernelMatrix
from rethink_keras.theory.parallel import panels

# Multiples of its diagonal that are added to a diagonal block, in turn, until it has a factor. In float64 there are
# none: where float64 finds no factor, the matrix is not positive definite.
_SHIFTS: dict[type, tuple[float, ...]] = {np.float32: (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1), np.float64: (0.0,)}


class Cholesky:
    """The factor L of K + ridge = L Lᵀ, panel by panel.

    Rounding in float32 may leave a diagonal block that is not positive definite. A small shift of its diagonal gives
    it a factor. L is then the factor of a nearby matrix, and as good a preconditioner.

    Args:
        matrix: The matrix.
        dtype: `np.float32` or `np.float64`.

    Attributes:
        panels: The panels that are computed. The last, square part of panel i, `[rows, columns up to the diagonal]`, is
            the inverse of L[i, i].
        shifts: Shifts of panels that needed one, as multiples of the diagonal, by the panel's index.
    """

    def __init__(self, matrix: KernelMatrix, dtype: type):
        self._matrix = matrix
        self._dtype = dtype
        self.panels: list[np.ndarray] = []
        self.shifts: dict[int, float] = {}

    def compute_panel(self, advance: Callable[[float], None] = lambda _: None) -> None:
        """Computes the next panel.

        Args:
            advance: Called from the threads with the number of finished floating-point operations. An exception that
                it raises ends the computation; the panels before remain.

        Raises:
            UserError: The matrix is not positive definite in this precision.
        """
        rows = self._matrix.panels[len(self.panels)]
        size = rows.stop - rows.start
        panel = np.empty((size, rows.stop), self._dtype)
        chunks = panels(size, CHUNK)
        for part in (self._left_part, self._diagonal_part):
            list(self._matrix.pool.map(lambda chunk, part=part: part(panel, rows, chunk, advance), chunks))
        panel[:, rows.start :] = self._inverse_factor(panel[:, rows.start :])
        self.panels.append(panel)

    def _left_part(self, panel, rows, chunk, advance) -> None:
        """Computes L[i, j] for all j < i, for some rows of panel i: forward substitution by panels."""
        own = slice(rows.start + chunk.start, rows.start + chunk.stop)
        mine = panel[chunk]
        for columns, before in zip(self._matrix.panels, self.panels, strict=False):
            values = self._matrix.block(own, columns, self._dtype)
            if columns.start:
                values -= mine[:, : columns.start] @ before[:, : columns.start].T
            mine[:, columns] = values @ before[:, columns].T
            advance(2 * values.size * columns.stop)

    def _diagonal_part(self, panel, rows, chunk, advance) -> None:
        """Computes K[i, i] - Σ_{k<i} L[i, k] L[i, k]ᵀ for some rows, up to the diagonal."""
        own = slice(rows.start + chunk.start, rows.start + chunk.stop)
        values = self._matrix.block(own, rows, self._dtype)
        upto = chunk.stop
        values[:, :upto] -= panel[chunk, : rows.start] @ panel[:upto, : rows.start].T
        panel[chunk, rows] = values
        advance(2 * len(values) * upto * rows.start)

    def _inverse_factor(self, block: np.ndarray) -> np.ndarray:
        lower = self._lower(np.tril(block) + np.tril(block, -1).T)
        return scipy.linalg.solve_triangular(
            lower, np.eye(len(lower), dtype=self._dtype), lower=True, check_finite=False
        )

    def _lower(self, block: np.ndarray) -> np.ndarray:
        rows = self._matrix.panels[len(self.panels)]
        own: np.ndarray = self._matrix.diagonal()[rows].astype(self._dtype)
        for shift in _SHIFTS[self._dtype]:
            try:
                lower = np.linalg.cholesky(block + np.diag(self._dtype(shift) * own))
            except np.linalg.LinAlgError:
                continue
            if shift:
                self.shifts[len(self.panels)] = shift
            return lower
        raise UserError(
            f"The kernel matrix is not positive definite in {self._dtype.__name__} among the first "
            f"{rows.stop:,} examples: some are too similar. Set "
            "direct.precision = 'float64', a narrower kernel (a larger gaussian.gamma) or a small "
            "interpolation.ridge."
        )

    def solve(self, vectors: np.ndarray) -> np.ndarray:
        """Solves (L Lᵀ) x = vectors, by forward and then backward substitution.

        Args:
            vectors: Right-hand sides `[examples, columns]`.

        Returns:
            The solution x, with the shape and dtype of `vectors`, computed in the dtype of the factor.
        """
        x: np.ndarray = vectors.astype(self._dtype)
        pool = self._matrix.pool
        panels_of_rows = list(zip(self._matrix.panels, self.panels, strict=False))
        for rows, panel in panels_of_rows:
            if rows.start:
                known = x[: rows.start]
                parts = pool.map(lambda c, p=panel, k=known: p[c, : len(k)] @ k, panels(len(panel), CHUNK))
                x[rows] -= np.concatenate(list(parts))
            x[rows] = panel[:, rows] @ x[rows]
        for rows, panel in reversed(panels_of_rows):
            x[rows] = panel[:, rows].T @ x[rows]
            if rows.start:
                mine = x[rows]
                parts = pool.map(lambda c, p=panel, m=mine: p[:, c].T @ m, panels(rows.start, PANEL))
                x[: rows.start] -= np.concatenate(list(parts))
        return x.astype(vectors.dtype)


def operations(num_examples: int) -> float:
    """Returns the floating-point operations that `Cholesky.compute_panel` reports for all panels."""
    total = 0.0
    starts = panels(num_examples, PANEL)
    for number, rows in enumerate(starts):
        size = rows.stop - rows.start
        total += sum(2.0 * size * (c.stop - c.start) * c.stop for c in starts[:number])
        total += sum(2.0 * (c.stop - c.start) * c.stop * rows.start for c in panels(size, CHUNK))
    return total


def factor_bytes(num_examples: int, itemsize: int) -> int:
    """Returns the bytes of all panels."""
    return itemsize * sum((p.stop - p.start) * p.stop for p in panels(num_examples, PANEL))

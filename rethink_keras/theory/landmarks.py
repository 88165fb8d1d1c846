"""A preconditioner that is exact on some examples, the landmarks. Its memory grows with n, not with n²."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.theory import conjugate_gradients
from rethink_keras.theory.kernel_matrix import KernelMatrix


def preconditioner(matrix: KernelMatrix, landmarks: int, seed: int) -> conjugate_gradients.Operator:
    """Returns the product with (V Vᵀ + D)⁻¹: V Vᵀ is the Nyström approximation of K, and D the diagonal of the rest.

    With S = D^(-1/2) V, Woodbury's identity gives (V Vᵀ + D)⁻¹ = D^(-1/2) (I - S (I + Sᵀ S)⁻¹ Sᵀ) D^(-1/2).

    Args:
        matrix: The matrix K.
        landmarks: Number of landmarks.
        seed: Seed of their choice.
    """
    count = min(landmarks, matrix.num_examples)
    chosen = np.sort(random_bits.permutation(seed, Stream.LANDMARKS, 0, matrix.num_examples)[:count])
    lower = scipy.linalg.cholesky(_among(matrix, chosen) + 1e-10 * np.eye(count), lower=True)
    seen = np.empty((matrix.num_examples, count), np.float32)
    for rows in matrix.panels:
        seen[rows] = scipy.linalg.solve_triangular(lower, matrix.some(rows, chosen).T, lower=True).T
    del lower
    rest = matrix.diagonal() - np.einsum("nl,nl->n", seen, seen, dtype=np.float64)
    others = np.ones(matrix.num_examples, bool)
    others[chosen] = False
    floor = 0.1 * rest[others].mean() if others.any() else 0.0
    # The rest is zero on the landmarks themselves, and rounding in float32 hides values far below the diagonal.
    diagonal = np.maximum(rest, max(floor, 1e-3 * matrix.diagonal().mean()))
    scaled = seen / np.sqrt(diagonal, dtype=np.float64).astype(np.float32)[:, np.newaxis]
    del seen
    inner = scipy.linalg.cholesky(np.eye(count) + (scaled.T @ scaled).astype(np.float64), lower=True)

    def precondition(residual: np.ndarray) -> np.ndarray:
        root = np.sqrt(diagonal)[:, np.newaxis]
        scale = abs(residual).max(axis=0) + conjugate_gradients.TINY  # float32 has a narrow range
        x = residual / root / scale
        seen_part = scipy.linalg.cho_solve(
            (inner, True), (scaled.T @ x.astype(np.float32)).astype(np.float64)
        )
        return (x - scaled @ seen_part.astype(np.float32)) / root * scale

    return precondition


def _among(matrix: KernelMatrix, chosen: np.ndarray) -> np.ndarray:
    """Returns K among chosen examples, in ascending order."""
    parts = []
    for rows in matrix.panels:
        within = chosen[(chosen >= rows.start) & (chosen < rows.stop)]
        parts.append(matrix.some(rows, chosen)[within - rows.start])
    return np.concatenate(parts)

"""Section 4: the networks of Theorem 1 and its corollary, which fit any targets on any sample.

c(x) = Σⱼ wⱼ max(⟨a, x⟩ - bⱼ, 0). Along a random direction a the examples come in some order, z₁ < z₂ < ...; with
one bⱼ before each zⱼ and after the one before, example i sees the first i ramps alone, so that the weights are the
solution of a lower-triangular system. Its entries are differences of two vectors, and a recurrence of three terms
solves it.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.signal
import scipy.sparse.linalg

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.errors import UserError
from rethink_keras.theory.kernel_matrix import check_points
from rethink_keras.theory.parallel import panels

DIRECTIONS = 8  # drawn; the one that keeps projections the farthest apart is taken
LEAD = 0.9  # each b comes so much of the gap before its z; above 1/2 the recurrence damps its rounding errors
CHUNK = 500  # examples evaluated at a time


@dataclasses.dataclass(frozen=True, eq=False)
class TwoLayerNetwork:
    """c(x) = Σⱼ wⱼ max(⟨a, x⟩ - bⱼ, 0), of 2n + d weights.

    Attributes:
        a: float64 `[dimensions]`.
        b: float64 `[units]`, ascending.
        w: float64 `[units]`.
    """

    a: np.ndarray
    b: np.ndarray
    w: np.ndarray

    @property
    def num_weights(self) -> int:
        """2n + d."""
        return len(self.a) + len(self.b) + len(self.w)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """C of points `[examples, dimensions]`: float64 `[examples]`, all units summed as a network does."""
        z = points @ self.a
        chunks = panels(len(z), CHUNK)
        return np.concatenate([np.maximum(z[c, np.newaxis] - self.b, 0) @ self.w for c in chunks])


@dataclasses.dataclass(frozen=True, eq=False)
class Construction:
    """A network and how well posed it was.

    Attributes:
        network: of Theorem 1.
        smallest_gap: between projections, as a share of their range.
        condition: number of the triangular system in the 1-norm, estimated (Higham and Tisseur's method).
    """

    network: TwoLayerNetwork
    smallest_gap: float
    condition: float


def fit(points: np.ndarray, targets: np.ndarray, seed: int = 0) -> Construction:
    """Constructs the network of Theorem 1 in O(n log n + nd).

    Args:
        points: `[examples, dimensions]`, all different.
        targets: `[examples]`, any real numbers.
        seed: of the direction.

    Raises:
        UserError: if there are no points, some are not finite or the same, or targets do not match; or if
            different points come to the same place on every direction.
    """
    points, targets = np.asarray(points, np.float64), np.asarray(targets, np.float64)
    if points.ndim != 2 or targets.shape != points.shape[:1] or not np.isfinite(targets).all():
        raise UserError(
            f"Points are {points.shape} and targets {targets.shape}. Give points [examples, dimensions] and a "
            "finite target for each."
        )
    check_points(points)
    directions = np.stack(
        [random_bits.normal(seed, Stream.PROJECTION, k, points.shape[1]) for k in range(DIRECTIONS)], axis=1
    ).astype(np.float64)
    projections = points @ directions
    best = int(np.argmax([_smallest_gap(z) for z in projections.T]))
    # Products of single vectors and of many may round otherwise: here it is the product that a network computes.
    a = np.ascontiguousarray(directions[:, best])
    z = points @ a
    smallest = _smallest_gap(z)
    if not smallest > 0:
        raise UserError(
            f"Some points are so close that float64 does not tell their projections apart on {DIRECTIONS} random "
            "directions. Take fewer examples, or leave near-duplicates out."
        )
    order = np.argsort(z, kind="stable")
    system = TriangularSystem(z[order])
    return Construction(
        TwoLayerNetwork(a, system.b, system.solve(targets[order])), smallest, system.condition()
    )


def _smallest_gap(z: np.ndarray) -> float:
    """Between projections, as a share of their range; 1 for a single one."""
    ascending = np.sort(z)
    span = ascending[-1] - ascending[0]
    return float(np.diff(ascending).min() / span) if span > 0 else float(len(z) == 1)


class TriangularSystem:
    """The matrix max(zᵢ - bⱼ, 0) for a b that interleaves z, never held: products and solutions cost O(n).

    Args:
        z: float64 `[examples]`, strictly ascending.
    """

    def __init__(self, z: np.ndarray):
        first = z[-1] - z[0] if len(z) > 1 else 1.0
        self.z = z
        self.steps = np.concatenate([[first / LEAD], np.diff(z)])
        self.b = z - LEAD * self.steps

    def solve(self, y: np.ndarray) -> np.ndarray:
        """The weights w with Σⱼ wⱼ max(zᵢ - bⱼ, 0) = yᵢ.

        Past bⱼ the slope of c is sⱼ = w₁ + ... + wⱼ, and between two examples c goes up by
        (1 - LEAD) step · sⱼ₋₁ + LEAD step · sⱼ: a recurrence for the slopes.
        """
        rises = np.diff(y, prepend=0.0) / (LEAD * self.steps)
        slopes = scipy.signal.lfilter([1.0], [1.0, (1 - LEAD) / LEAD], rises)
        return np.diff(slopes, prepend=0.0)

    def solve_transposed(self, y: np.ndarray) -> np.ndarray:
        """The solution of the transposed system: the same steps, transposed, in reverse."""
        differences = -np.diff(y, append=0.0)
        slopes = scipy.signal.lfilter([1.0], [1.0, (1 - LEAD) / LEAD], differences[::-1])[::-1]
        rises = slopes / (LEAD * self.steps)
        return -np.diff(rises, append=0.0)

    def condition(self) -> float:
        """The condition number in the 1-norm: the norm exactly, that of the inverse estimated."""
        n = len(self.z)
        if n < 2:
            return 1.0
        suffix_z = np.cumsum(self.z[::-1])[::-1]
        norm = (suffix_z - self.b * np.arange(n, 0, -1)).max()
        inverse = scipy.sparse.linalg.LinearOperator(
            (n, n),
            matvec=lambda y: self.solve(y.ravel()),
            rmatvec=lambda y: self.solve_transposed(y.ravel()),
            dtype=np.float64,
        )
        return float(norm * scipy.sparse.linalg.onenormest(inverse))

"""Section 4: the networks of Theorem 1 and its corollary, which fit any targets on any sample.

The network is c(x) = Σⱼ wⱼ max(⟨a, x⟩ - bⱼ, 0). A random direction a orders the examples by their projections
z₁ < z₂ < ... < zₙ. With b₁ < z₁ < b₂ < z₂ < ... < bₙ < zₙ only the first i units are active on example i, so the
weights solve a lower-triangular system (Lemma 1 and the proof of Theorem 1, in the paper's appendix). Along a, c is
piecewise linear, and a recurrence for its slopes solves the system in O(n).
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

DIRECTIONS = 8  # random directions, of which the one with the largest smallest gap is used
LEAD = 0.9  # distance from bⱼ to zⱼ, as a fraction of the gap before zⱼ
CHUNK = 500  # examples evaluated at a time


@dataclasses.dataclass(frozen=True, eq=False)
class TwoLayerNetwork:
    """c(x) = Σⱼ wⱼ max(⟨a, x⟩ - bⱼ, 0), with 2n + d weights.

    Attributes:
        a: Direction, float64 `[dimensions]`.
        b: Thresholds, float64 `[units]`, ascending.
        w: Output weights, float64 `[units]`.
    """

    a: np.ndarray
    b: np.ndarray
    w: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Returns c at points `[examples, dimensions]`: float64 `[examples]`, computed as a sum over all units."""
        z = points @ self.a
        chunks = panels(len(z), CHUNK)
        return np.concatenate([np.maximum(z[c, np.newaxis] - self.b, 0) @ self.w for c in chunks])


@dataclasses.dataclass(frozen=True, eq=False)
class Construction:
    """A network and how well conditioned its construction was.

    Attributes:
        network: The network of Theorem 1.
        smallest_gap: Smallest gap between projections, as a fraction of their range.
        condition: Condition number of the triangular system in the 1-norm, estimated by Higham and Tisseur's method.
    """

    network: TwoLayerNetwork
    smallest_gap: float
    condition: float


def fit(points: np.ndarray, targets: np.ndarray, seed: int = 0) -> Construction:
    """Constructs the network of Theorem 1 in O(n log n + nd) operations.

    Args:
        points: Points `[examples, dimensions]`, all different.
        targets: Any real numbers `[examples]`.
        seed: Seed of the direction.

    Returns:
        The network, which takes the targets at the points.

    Raises:
        UserError: There are no points, some are not finite or equal, targets do not match, or different points have
            the same projection on every direction.
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
    # A product with one vector may round differently than a product with several. Use the one that a network computes.
    a = np.ascontiguousarray(directions[:, best])
    z = points @ a
    smallest = _smallest_gap(z)
    if not smallest > 0:
        raise UserError(
            f"Some points are so close that their projections on {DIRECTIONS} random directions are equal in float64. "
            "Use fewer examples, or leave near-duplicates out."
        )
    order = np.argsort(z, kind="stable")
    system = TriangularSystem(z[order])
    return Construction(
        TwoLayerNetwork(a, system.b, system.solve(targets[order])), smallest, system.condition()
    )


def _smallest_gap(z: np.ndarray) -> float:
    """Returns the smallest gap between projections as a fraction of their range; 1 for a single one."""
    ascending = np.sort(z)
    span = ascending[-1] - ascending[0]
    return float(np.diff(ascending).min() / span) if span > 0 else float(len(z) == 1)


class TriangularSystem:
    """The matrix max(zᵢ - bⱼ, 0) with b interleaved with z. It is never stored: solving costs O(n).

    Args:
        z: Projections, float64 `[examples]`, strictly ascending.
    """

    def __init__(self, z: np.ndarray):
        first = z[-1] - z[0] if len(z) > 1 else 1.0  # there is no gap before z₁: b₁ is the range of z away
        self.z = z
        self.gaps = np.concatenate([[first / LEAD], np.diff(z)])
        self.b = z - LEAD * self.gaps

    def solve(self, y: np.ndarray) -> np.ndarray:
        """Returns the weights w with Σⱼ wⱼ max(zᵢ - bⱼ, 0) = yᵢ.

        Between bⱼ and bⱼ₊₁ the slope of c is sⱼ = w₁ + ... + wⱼ. From zⱼ₋₁ to zⱼ, over the gap gⱼ, the slope is sⱼ₋₁ up
        to bⱼ and sⱼ after it, so that

            yⱼ - yⱼ₋₁ = (1 - LEAD) gⱼ sⱼ₋₁ + LEAD gⱼ sⱼ.

        This is a recurrence for sⱼ with the factor -(1 - LEAD) / LEAD. It damps rounding errors if LEAD exceeds 1/2.
        """
        rises = np.diff(y, prepend=0.0) / (LEAD * self.gaps)
        slopes = scipy.signal.lfilter([1.0], [1.0, (1 - LEAD) / LEAD], rises)
        return np.diff(slopes, prepend=0.0)

    def solve_transposed(self, y: np.ndarray) -> np.ndarray:
        """Returns the solution of the transposed system: the transposes of the steps of `solve`, in reverse order."""
        differences = -np.diff(y, append=0.0)
        slopes = scipy.signal.lfilter([1.0], [1.0, (1 - LEAD) / LEAD], differences[::-1])[::-1]
        rises = slopes / (LEAD * self.gaps)
        return -np.diff(rises, append=0.0)

    def condition(self) -> float:
        """Returns the condition number in the 1-norm, from the exact norm and an estimate of the inverse's norm."""
        n = len(self.z)
        if n < 2:
            return 1.0
        # Column j sums zᵢ - bⱼ over i ≥ j; all terms are positive.
        suffix_z = np.cumsum(self.z[::-1])[::-1]
        norm = (suffix_z - self.b * np.arange(n, 0, -1)).max()
        inverse = scipy.sparse.linalg.LinearOperator(
            (n, n),
            matvec=lambda y: self.solve(y.ravel()),
            rmatvec=lambda y: self.solve_transposed(y.ravel()),
            dtype=np.float64,
        )
        return float(norm * scipy.sparse.linalg.onenormest(inverse))

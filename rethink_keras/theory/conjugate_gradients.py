"""Conjugate gradients for several right-hand sides at once, preconditioned.

With a Cholesky factor in float32 for a preconditioner it is iterative refinement that cannot diverge: a few steps
lead to what float64 can tell. With a factor of some of the points it solves systems beyond memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

Operator = Callable[[np.ndarray], np.ndarray]
TINY = 1e-300  # keeps a column of zeros from being divided by its size


@dataclasses.dataclass(frozen=True)
class Solution:
    """Of A x = b.

    Attributes:
        x: float64 `[examples, columns]`.
        residuals: largest absolute entry of the residual, as the recursion has it, before each step and at the end.
        converged: whether the last is below the tolerance.
    """

    x: np.ndarray
    residuals: list[float]
    converged: bool


def solve(
    times: Operator,
    precondition: Operator,
    targets: np.ndarray,
    *,
    tolerance: float,
    most_steps: int,
    after_step: Callable[[int, float], None] = lambda step, residual: None,
) -> Solution:
    """Solves A x = targets for a symmetric positive definite A, each column by conjugate gradients of its own.

    The flexible form of the direction's coefficient bears a preconditioner that is rounded.

    Args:
        times: A times `[examples, columns]`.
        precondition: approximately the inverse of A times `[examples, columns]`.
        targets: float64 `[examples, columns]`.
        tolerance: of the largest absolute entry of the residual.
        most_steps: no more products by A than these.
        after_step: called with the number of steps and the residual.
    """
    x = np.zeros_like(targets)
    residual = targets.copy()
    direction = np.zeros_like(targets)
    rho = np.ones(targets.shape[1])
    previous = residual
    residuals = [float(abs(residual).max())]
    for step in range(1, most_steps + 1):
        if residuals[-1] <= tolerance:
            break
        conditioned = precondition(residual)
        new_rho = _dots(residual, conditioned)
        beta = np.zeros_like(rho) if step == 1 else (new_rho - _dots(previous, conditioned)) / _not_zero(rho)
        direction = conditioned + beta * direction
        image = times(direction)
        alpha = new_rho / _not_zero(_dots(direction, image))
        x += alpha * direction
        previous, residual, rho = residual, residual - alpha * image, new_rho
        residuals.append(float(abs(residual).max()))
        after_step(step, residuals[-1])
    return Solution(x, residuals, residuals[-1] <= tolerance)


def _dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("nc,nc->c", a, b)


def _not_zero(values: np.ndarray) -> np.ndarray:
    return np.where(values == 0, 1.0, values)

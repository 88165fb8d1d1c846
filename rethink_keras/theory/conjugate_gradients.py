"""Preconditioned conjugate gradients for several right-hand sides at once.

With a Cholesky factor in float32 as preconditioner this is iterative refinement that cannot diverge: a few steps reach
the accuracy of float64. With a factor of some of the points it solves systems whose matrix does not fit into memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

Operator = Callable[[np.ndarray], np.ndarray]
TINY = 1e-300  # added to a divisor, for columns of zeros


@dataclasses.dataclass(frozen=True)
class Solution:
    """The solution of A x = b.

    Attributes:
        x: Solution, float64 `[examples, columns]`.
        residuals: Largest absolute entry of the recursive residual, before each step and at the end.
        converged: Whether the last residual is at most the tolerance.
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
    """Solves A x = targets for a symmetric positive definite A, each column by its own conjugate gradients.

    Args:
        times: Returns A times `[examples, columns]`.
        precondition: Returns approximately A⁻¹ times `[examples, columns]`.
        targets: Right-hand sides, float64 `[examples, columns]`.
        tolerance: Largest absolute entry of the residual at which the solution is accepted.
        most_steps: Largest number of steps, each with one product by A.
        after_step: Called with the number of steps and the residual.
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
        # Polak and Ribière's coefficient: unlike that of Fletcher and Reeves it allows for a preconditioner
        # that is rounded and therefore not exactly linear.
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

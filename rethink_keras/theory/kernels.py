"""Kernels: functions of inner products and squared norms."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import gin
import numpy as np

from rethink_keras.validation import check_number


class Kernel(Protocol):
    """Turns inner products into values of a kernel."""

    def __call__(
        self, products: np.ndarray, row_squares: np.ndarray, column_squares: np.ndarray
    ) -> np.ndarray:
        """Values `[rows, columns]` from inner products; may use their memory."""
        ...

    def diagonal(self, squares: np.ndarray) -> np.ndarray:
        """Values of examples with themselves."""
        ...


class KernelBuilder(Protocol):
    """Builds a kernel from what gin binds: `@gaussian` or `@linear`."""

    def __call__(self) -> Kernel:
        """The kernel."""
        ...


@gin.configurable
@dataclasses.dataclass(frozen=True)
class gaussian:
    """exp(-gamma d²) of the Euclidean distance d.

    Attributes:
        gamma: 0.02 is that of the sample code for MNIST, on pixels in [0, 1].
    """

    gamma: float = 0.02

    def __post_init__(self):
        check_number("gaussian.gamma", self.gamma, 1e-30, 1e30)  # float32 holds it times any distance

    def __call__(self, products, row_squares, column_squares):
        """See `Kernel`."""
        kind = products.dtype.type
        products *= kind(2 * self.gamma)
        products -= (self.gamma * row_squares).astype(kind)[:, np.newaxis]
        products -= (self.gamma * column_squares).astype(kind)
        np.minimum(products, 0, out=products)  # a distance of zero may come out as less by rounding
        return np.exp(products, out=products)

    def diagonal(self, squares):
        """See `Kernel`."""
        return np.ones_like(squares)


@gin.configurable
@dataclasses.dataclass(frozen=True)
class linear:
    """The inner product itself, that of ordinary least squares on the features."""

    def __call__(self, products, row_squares, column_squares):
        """See `Kernel`."""
        del row_squares, column_squares
        return products

    def diagonal(self, squares):
        """See `Kernel`."""
        return squares.copy()

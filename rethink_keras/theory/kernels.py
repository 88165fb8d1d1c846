"""Kernels: functions of inner products and squared norms."""

from __future__ import annotations

import abc
import dataclasses

import gin
import numpy as np

from rethink_keras.validation import check_number


class Kernel(abc.ABC):
    """A kernel k(x, y) that depends on ⟨x, y⟩, |x|² and |y|² only."""

    @abc.abstractmethod
    def __call__(
        self, products: np.ndarray, row_squares: np.ndarray, column_squares: np.ndarray
    ) -> np.ndarray:
        """Returns the kernel between some examples (rows) and others (columns).

        Args:
            products: Inner products `[rows, columns]`. The result may overwrite them.
            row_squares: Squared norms, float64 `[rows]`.
            column_squares: Squared norms, float64 `[columns]`.

        Returns:
            Values `[rows, columns]` in the dtype of `products`.
        """

    @abc.abstractmethod
    def diagonal(self, squares: np.ndarray) -> np.ndarray:
        """Returns the kernel of examples with themselves, from their squared norms: float64 `[examples]`."""


@gin.configurable("gaussian")
@dataclasses.dataclass(frozen=True)
class GaussianKernel(Kernel):
    """exp(-gamma d²) of the Euclidean distance d.

    Attributes:
        gamma: Inverse squared width. 0.02 is that of the authors' sample code for MNIST, on pixels in [0, 1].
    """

    gamma: float = 0.02

    def __post_init__(self):
        check_number("gaussian.gamma", self.gamma, 1e-30, 1e30)  # float32 holds it times any distance

    def __call__(self, products, row_squares, column_squares):
        """Returns the kernel; see `Kernel`."""
        # -gamma d² = 2 gamma ⟨x, y⟩ - gamma |x|² - gamma |y|², computed in place.
        dtype = products.dtype.type
        products *= dtype(2 * self.gamma)
        products -= (self.gamma * row_squares).astype(dtype)[:, np.newaxis]
        products -= (self.gamma * column_squares).astype(dtype)
        np.minimum(products, 0, out=products)  # rounding may make a distance of zero negative
        return np.exp(products, out=products)

    def diagonal(self, squares):
        """Returns the kernel of examples with themselves; see `Kernel`."""
        return np.ones_like(squares)


@gin.configurable("linear")
@dataclasses.dataclass(frozen=True)
class LinearKernel(Kernel):
    """The inner product itself: ordinary least squares on the features."""

    def __call__(self, products, row_squares, column_squares):
        """Returns the kernel; see `Kernel`."""
        del row_squares, column_squares
        return products

    def diagonal(self, squares):
        """Returns the kernel of examples with themselves; see `Kernel`."""
        return squares.copy()

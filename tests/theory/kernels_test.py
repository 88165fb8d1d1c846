import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.theory.kernels import GaussianKernel, LinearKernel
from tests.theory.made_points import dense, matrix, points

X = points(150)


class KernelsTest(parameterized.TestCase):
    def test_gaussian_is_that_of_the_definition(self):
        squares = (X.astype(np.float64) ** 2).sum(axis=1)
        products = X.astype(np.float64) @ X.T
        kernel = GaussianKernel(0.5)
        np.testing.assert_allclose(kernel(products, squares, squares), dense(X, X, 0.5), rtol=1e-6)
        np.testing.assert_array_equal(kernel.diagonal(squares), np.ones(150))

    def test_a_point_is_at_no_negative_distance_of_itself(self):
        far = 1e3 + points(80)
        with matrix(far, gamma=1e4) as k:
            self.assertLessEqual(k.block(slice(0, 80), slice(0, 80), np.float32).max(), 1)

    def test_linear(self):
        products = X @ X.T
        np.testing.assert_array_equal(LinearKernel()(products, None, None), products)

    @parameterized.parameters(0, -1.0, float("nan"), float("inf"), True)
    def test_gamma_that_is_none(self, gamma):
        with self.assertRaisesRegex(UserError, "gaussian.gamma is .*Give a number"):
            GaussianKernel(gamma)

    def test_the_diagonal_of_the_linear_kernel(self):
        squares = np.array([1.0, 4.0])
        np.testing.assert_array_equal(LinearKernel().diagonal(squares), squares)


if __name__ == "__main__":
    absltest.main()

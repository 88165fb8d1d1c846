import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.theory import cholesky, conjugate_gradients
from rethink_keras.theory.cholesky import Cholesky
from tests.theory.made_points import dense, matrix, points, small_panels

X = points(300)


def factorized(k, dtype, advance=lambda _: None):
    factor = Cholesky(k, dtype)
    for _ in k.panels:
        factor.compute_panel(advance)
    return factor


class CholeskyTest(parameterized.TestCase):
    @parameterized.parameters((np.float64, 1e-11), (np.float32, 2e-3))
    def test_solves(self, dtype, tolerance):
        whole = dense(X, X, 2.0)
        b = np.random.default_rng(0).standard_normal((300, 2))
        with small_panels(), matrix(X, gamma=2.0) as k:
            factor = factorized(k, dtype)
            self.assertLen(factor.panels, 5)
            np.testing.assert_allclose(factor.solve(b), np.linalg.solve(whole, b), atol=tolerance)

    def test_panels_hold_the_factor_and_inverses_of_its_diagonal_blocks(self):
        lower = np.linalg.cholesky(dense(X, X, 2.0))
        with small_panels(), matrix(X, gamma=2.0) as k:
            factor = factorized(k, np.float64)
        np.testing.assert_allclose(factor.panels[4][:, :256], lower[256:, :256], atol=1e-11)
        np.testing.assert_allclose(factor.panels[4][:, 256:], np.linalg.inv(lower[256:, 256:]), atol=1e-9)

    def test_the_same_to_the_bit_with_any_number_of_threads(self):
        panels = []
        for cores in (1, 3):
            with small_panels(), matrix(X, gamma=2.0, cores=cores) as k:
                panels.append(factorized(k, np.float32).panels[4])
        np.testing.assert_array_equal(*panels)

    def test_operations_and_bytes_are_those_that_come(self):
        counted = []
        with small_panels(), matrix(X, gamma=2.0) as k:
            factor = factorized(k, np.float32, counted.append)
            self.assertAlmostEqual(sum(counted), cholesky.operations(300))
            held = sum(panel.nbytes for panel in factor.panels)
            self.assertEqual(held, cholesky.factor_bytes(300, 4))

    def test_half_of_the_matrix_at_full_size(self):
        self.assertLess(cholesky.factor_bytes(60_000, 4), 1.05 * 4 * 60_000**2 / 2)

    def test_not_positive_definite(self):
        alike = X.copy()
        alike[200:] = X[:100] * np.float32(1 + 1e-6)
        with small_panels(), matrix(alike, gamma=0.01) as k, self.assertRaises(UserError) as caught:
            factorized(k, np.float64)
        self.assertRegex(caught.exception.sentence, "not positive definite in float64 .*too similar. Set")

    def test_a_shift_where_float32_finds_no_factor(self):
        close = X.copy()
        close[200:210] = X[:10] + np.float32(3e-4)
        b = np.random.default_rng(0).standard_normal((300, 2))
        with small_panels(), matrix(close, gamma=0.5) as k:
            factor = factorized(k, np.float32)
            self.assertNotEmpty(factor.shifts)
            self.assertNotIn(0, factor.shifts)
            solution = conjugate_gradients.solve(k.times, factor.solve, b, tolerance=1e-9, most_steps=100)
            self.assertTrue(solution.converged)
            np.testing.assert_allclose(k.times(solution.x), b, atol=1e-6)


if __name__ == "__main__":
    absltest.main()

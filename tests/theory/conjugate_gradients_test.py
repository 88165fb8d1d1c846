import numpy as np
from absl.testing import absltest

from rethink_keras.theory import conjugate_gradients

GENERATOR = np.random.default_rng(0)
ROOT = GENERATOR.standard_normal((60, 60))
A = ROOT @ ROOT.T + np.eye(60)
B = GENERATOR.standard_normal((60, 4))


def solve(precondition=lambda r: r, targets=B, **options):
    options = {"tolerance": 1e-11, "most_steps": 300, **options}
    return conjugate_gradients.solve(lambda v: A @ v, precondition, targets, **options)


class SolveTest(absltest.TestCase):
    def test_solves_each_column(self):
        solution = solve()
        self.assertTrue(solution.converged)
        np.testing.assert_allclose(solution.x, np.linalg.solve(A, B), atol=1e-9)

    def test_a_good_preconditioner_takes_few_steps(self):
        inverse = np.linalg.inv(A).astype(np.float32).astype(np.float64)
        self.assertLess(len(solve(lambda r: inverse @ r).residuals), 6)
        self.assertGreater(len(solve().residuals), 30)

    def test_a_column_of_zeros_stays_zero(self):
        targets = B.copy()
        targets[:, 1] = 0
        solution = solve(targets=targets)
        self.assertTrue(solution.converged)
        np.testing.assert_array_equal(solution.x[:, 1], 0)

    def test_says_when_it_is_not_done(self):
        solution = solve(most_steps=3)
        self.assertFalse(solution.converged)
        self.assertLen(solution.residuals, 4)
        residual = abs(B - A @ solution.x).max()
        self.assertAlmostEqual(solution.residuals[-1], residual, places=9)

    def test_tells_every_step(self):
        told = []
        solution = solve(after_step=lambda step, residual: told.append((step, residual)))
        self.assertEqual(told, list(enumerate(solution.residuals))[1:])


if __name__ == "__main__":
    absltest.main()

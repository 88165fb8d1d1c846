import numpy as np
from absl.testing import absltest

from rethink_keras.theory import landmarks
from tests.theory.made_points import dense, matrix, points, small_panels

X = points(150)
V = np.random.default_rng(2).standard_normal((150, 3))


class LandmarksTest(absltest.TestCase):
    def condition(self, count):
        """The condition number of the preconditioned matrix."""
        with small_panels(), matrix(X, gamma=0.1, ridge=0.01) as k:
            inverse = landmarks.preconditioner(k, count, seed=0)(np.eye(150))
        eigenvalues = np.linalg.eigvals(inverse @ (dense(X, X, 0.1) + 0.01 * np.eye(150))).real
        return eigenvalues.max() / eigenvalues.min()

    def test_more_landmarks_improve_the_condition(self):
        few, many = self.condition(5), self.condition(100)
        self.assertLess(many, few)
        self.assertLess(few, np.linalg.cond(dense(X, X, 0.1) + 0.01 * np.eye(150)))

    def test_it_is_linear_symmetric_and_positive(self):
        with small_panels(), matrix(X) as k:
            precondition = landmarks.preconditioner(k, 20, seed=0)
            inverse = precondition(np.eye(150))
            np.testing.assert_allclose(precondition(V), inverse @ V, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(inverse, inverse.T, atol=1e-5)
        self.assertGreater(np.linalg.eigvalsh((inverse + inverse.T) / 2).min(), 0)

    def test_columns_of_zeros_stay_zero(self):
        with small_panels(), matrix(X) as k:
            precondition = landmarks.preconditioner(k, 20, seed=0)
            np.testing.assert_array_equal(precondition(np.zeros((150, 2))), np.zeros((150, 2)))


if __name__ == "__main__":
    absltest.main()

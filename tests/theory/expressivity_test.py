import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.errors import UserError
from rethink_keras.theory import expressivity
from rethink_keras.theory.expressivity import TriangularSystem

GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((200, 20))
Y = GENERATOR.standard_normal(200)


class TheoremTest(parameterized.TestCase):
    @hypothesis.settings(deadline=None, max_examples=40)
    @hypothesis.given(count=st.integers(1, 60), dimensions=st.integers(1, 8), seed=st.integers(0, 2**32 - 1))
    def test_takes_any_values_on_any_sample(self, count, dimensions, seed):
        generator = np.random.default_rng(seed)
        x, y = generator.standard_normal((count, dimensions)), generator.standard_normal(count)
        construction = expressivity.fit(x, y, seed)
        self.assertEqual(sum(map(len, vars(construction.network).values())), 2 * count + dimensions)
        error = abs(construction.network(x) - y).max()
        self.assertLess(error, 1e-14 * construction.condition + 1e-12)

    def test_each_threshold_lies_between_two_projections(self):
        network = expressivity.fit(X, Y).network
        z = np.sort(X @ network.a)
        self.assertTrue((network.b < z).all())
        self.assertTrue((network.b[1:] > z[:-1]).all())

    def test_solves_the_triangular_system_and_its_transpose(self):
        z = np.sort(GENERATOR.standard_normal(50))
        system = TriangularSystem(z)
        dense = np.maximum(z[:, np.newaxis] - system.b, 0)
        self.assertTrue((np.triu(dense, 1) == 0).all())
        y = GENERATOR.standard_normal(50)
        np.testing.assert_allclose(dense @ system.solve(y), y, atol=1e-10)
        np.testing.assert_allclose(dense.T @ system.solve_transposed(y), y, atol=1e-9)

    def test_condition_is_near_numpys(self):
        z = np.sort(GENERATOR.standard_normal(80))
        system = TriangularSystem(z)
        exact = np.linalg.cond(np.maximum(z[:, np.newaxis] - system.b, 0), 1)
        # An estimate from below, seldom by more than a factor of three.
        self.assertBetween(system.condition() / exact, 0.3, 1 + 1e-6)

    def test_direction_is_the_one_drawn_that_keeps_projections_the_farthest_apart(self):
        drawn = [
            random_bits.normal(3, Stream.PROJECTION, k, X.shape[1]) for k in range(expressivity.DIRECTIONS)
        ]
        projections = [np.sort(X @ direction.astype(float)) for direction in drawn]
        gaps = [np.diff(z).min() / np.ptp(z) for z in projections]
        best = int(np.argmax(gaps))
        # Far enough ahead that rounding on another processor chooses the same.
        self.assertGreater(gaps[best], 1.001 * sorted(gaps)[-2])
        np.testing.assert_array_equal(expressivity.fit(X, Y, seed=3).network.a, drawn[best])

    @parameterized.named_parameters(
        ("no_points", np.zeros((0, 3)), np.zeros(0), "no points"),
        ("nan", np.full((2, 3), np.nan), np.zeros(2), "not finite"),
        ("twice", np.ones((2, 3)), np.zeros(2), "examples 0 and 1 are the same"),
        ("targets", np.ones((2, 3)), np.zeros(3), "a finite target for each"),
        ("endless", np.eye(2), np.array([1, np.inf]), "a finite target for each"),
    )
    def test_bad_samples(self, x, y, message):
        with self.assertRaisesRegex(UserError, message):
            expressivity.fit(x, y)

    def test_points_whose_projections_collide(self):
        x = np.zeros((3, 2))
        x[:, 0] = 1e16, 0, 0
        x[2, 1] = 1e-300
        x[1, 1] = 1.0
        x = np.array([*x, x[0] + [0, 1e-3]])
        with self.assertRaisesRegex(UserError, "projections on .* are equal in float64"):
            expressivity.fit(x, np.arange(4.0))


if __name__ == "__main__":
    absltest.main()

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import DivergedError, UserError
from rethink_keras.theory import minimum_norm
from tests.data.helpers import digits_elsewhere

GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.standard_normal((10, 30)), GENERATOR.standard_normal((10, 2))
SMALL = (
    "dataset.name = 'digits'",
    "dataset.train_examples = 8",
    "dataset.test_examples = 50",
    "minimum_norm.batch_size = 4",
    "minimum_norm.steps = 800",
    "minimum_norm.learning_rate = 0.05",
    "minimum_norm.momentum = 0.9",
)


def run(folder, *bindings):
    config.parse([], [*SMALL, *bindings])
    with contextlib.redirect_stdout(io.StringIO()):
        return minimum_norm.minimum_norm(workdir=folder).summary


class ClosedFormTest(absltest.TestCase):
    def test_solves_with_the_smallest_norm(self):
        problem = minimum_norm.closed_form(X, Y)
        np.testing.assert_allclose(X @ problem.solution, Y, atol=1e-10)
        np.testing.assert_allclose(problem.solution, np.linalg.pinv(X) @ Y, atol=1e-10)
        np.testing.assert_allclose(problem.span @ problem.span.T, np.eye(10), atol=1e-12)

    def test_too_many_examples(self):
        with self.assertRaisesRegex(UserError, "dataset.train_examples below 10"):
            minimum_norm.closed_form(X.T, Y)

    def test_examples_that_depend_on_one_another(self):
        x = np.concatenate([X, X[:1] + X[1:2]])
        with self.assertRaisesRegex(UserError, "linearly dependent"):
            minimum_norm.closed_form(x, np.ones((11, 1)))


class MinimumNormTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        digits_elsewhere(cls)

    def test_from_zero_to_the_solution_and_from_elsewhere_not(self):
        folder = Path(self.create_tempdir())
        summary = run(folder, "minimum_norm.initial_scales = (0.0, 0.01)")
        zero, elsewhere = summary["final"]
        self.assertLess(zero["distance"], 1e-6)
        self.assertLess(zero["outside_of_span"], 1e-12)
        self.assertAlmostEqual(zero["norm"], summary["minimum_norm"], places=5)
        self.assertLess(elsewhere["loss"], 1e-10)
        self.assertGreater(elsewhere["distance"], 0.01)
        self.assertAlmostEqual(elsewhere["distance"], elsewhere["outside_of_span"], places=5)
        self.assertGreater(elsewhere["norm"], summary["minimum_norm"])
        self.assertStartsWith((folder / "distance.png").read_bytes(), b"\x89PNG")
        rows = (folder / "metrics.csv").read_text().splitlines()
        self.assertEqual(rows[0], "initial_scale,step,loss,distance,outside_of_span,norm")
        self.assertLen(rows, 1 + 2 * 201)
        self.assertEqual(json.loads((folder / "summary.json").read_text()), summary)

    def test_the_same_twice(self):
        folder = Path(self.create_tempdir())
        first, second = (run(folder / n, "minimum_norm.steps = 50") for n in "ab")
        self.assertEqual(first["final"], second["final"])

    def test_divergence(self):
        folder = Path(self.create_tempdir())
        with self.assertRaises(DivergedError) as caught:
            run(folder, "minimum_norm.learning_rate = 1e20")
        self.assertIn("smaller minimum_norm.learning_rate", caught.exception.sentence)

    @parameterized.parameters(
        ("steps = 0", "minimum_norm.steps is 0"),
        ("batch_size = 9", "minimum_norm.batch_size is 9"),
        ("learning_rate = 0", "minimum_norm.learning_rate is 0"),
        ("momentum = 1.0", "minimum_norm.momentum is 1.0"),
        ("initial_scales = (-1.0,)", "minimum_norm.initial_scales is -1.0"),
        ("seed = -1", "minimum_norm.seed is -1"),
    )
    def test_bad_settings(self, binding, message):
        folder = Path(self.create_tempdir())
        with self.assertRaises(UserError) as caught:
            run(folder, f"minimum_norm.{binding}")
        self.assertIn(message, caught.exception.sentence)


if __name__ == "__main__":
    absltest.main()

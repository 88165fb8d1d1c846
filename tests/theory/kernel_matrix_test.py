import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.theory import kernel_matrix
from rethink_keras.theory.kernel_matrix import classification_error, one_hot
from tests.theory.made_points import dense, matrix, points, small_panels

X, Z = points(150), points(40, seed=1)
V = np.random.default_rng(2).standard_normal((150, 3))


class KernelMatrixTest(parameterized.TestCase):
    def test_products_are_those_of_the_whole_matrix(self):
        with small_panels(), matrix(X, Z, ridge=0.25) as k:
            np.testing.assert_allclose(k.times(V), dense(X, X, 0.5) @ V + 0.25 * V, rtol=1e-12)
            np.testing.assert_allclose(k.test_times(V), dense(Z, X, 0.5) @ V, rtol=1e-12)

    def test_the_same_to_the_bit_with_any_number_of_threads(self):
        results = []
        for cores in (1, 2, 5):
            with small_panels(), matrix(X, cores=cores) as k:
                results.append(k.times(V))
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])

    def test_blocks_some_columns_and_diagonal(self):
        whole = dense(X, X, 0.5) + 0.25 * np.eye(150)
        chosen = np.array([3, 70, 149])
        with small_panels(), matrix(X, ridge=0.25) as k:
            self.assertLen(k.panels, 3)
            block = k.block(slice(80, 96), slice(64, 128), np.float64)
            np.testing.assert_allclose(block, whole[80:96, 64:128], rtol=1e-12)
            single = k.block(slice(128, 150), slice(0, 64), np.float32)
            self.assertEqual(single.dtype, np.float32)
            np.testing.assert_allclose(single, whole[128:150, :64], rtol=1e-5)
            np.testing.assert_allclose(k.some(slice(64, 128), chosen), whole[64:128][:, chosen], rtol=1e-12)
            np.testing.assert_allclose(k.diagonal(), np.diag(whole), rtol=1e-15)


class PointsTest(absltest.TestCase):
    def test_no_points(self):
        with self.assertRaisesRegex(UserError, "no points"):
            kernel_matrix.check_points(np.zeros((0, 3)))

    def test_points_that_are_not_finite(self):
        x = points(5)
        x[2, 1] = np.nan
        with self.assertRaisesRegex(UserError, "not finite"):
            kernel_matrix.check_points(x)

    def test_a_point_twice(self):
        x = points(30)
        x[20] = x[4]
        with self.assertRaisesRegex(UserError, "examples 4 and 20 are the same image"):
            kernel_matrix.check_points(x)


class OneHotTest(absltest.TestCase):
    def test_targets(self):
        np.testing.assert_array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])

    def test_more_classes_than_targets(self):
        with self.assertRaisesRegex(UserError, "labels from 0 to 9, but 8 targets"):
            one_hot(np.arange(10), 8)


class ClassificationErrorTest(absltest.TestCase):
    def test_is_in_percent(self):
        self.assertEqual(classification_error(np.eye(4), np.array([0, 1, 2, 0])), 25)


if __name__ == "__main__":
    absltest.main()

import tracemalloc

import numpy as np
from absl.testing import absltest

from rethink_keras.theory import parallel
from rethink_keras.theory.features.summed_products import SummedProducts, products_bytes
from tests.theory.made_points import points, small_panels


class SummedProductsTest(absltest.TestCase):
    def test_equals_products_of_all_features(self):
        train, test = points(150, 40), points(20, 40, seed=1)
        with small_panels(), parallel.workers() as pool:
            summed = SummedProducts(150, 20)
            for columns in (slice(0, 10), slice(10, 40)):
                summed.add(train[:, columns], test[:, columns], pool)
            inner = train.astype(np.float64) @ train.T / 40
            np.testing.assert_allclose(
                summed.train(slice(80, 96), slice(64, 128), np.float64), inner[80:96, 64:128], atol=1e-6
            )
            chosen = np.array([2, 70, 90, 149])
            np.testing.assert_allclose(
                summed.some(slice(64, 128), chosen), inner[64:128][:, chosen], atol=1e-6
            )
            np.testing.assert_allclose(
                summed.test(slice(3, 9), slice(0, 150)),
                test[3:9].astype(np.float64) @ train.T / 40,
                atol=1e-6,
            )
            np.testing.assert_allclose(summed.squares, np.diag(inner), rtol=1e-6)

    def test_memory_is_what_it_is_checked_for(self):
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before, _ = tracemalloc.get_traced_memory()
        summed = SummedProducts(3000, 500)
        after, _ = tracemalloc.get_traced_memory()
        self.assertEqual(summed.num_features, 0)
        self.assertAlmostEqual((after - before) / products_bytes(3000, 500), 1, places=2)


if __name__ == "__main__":
    absltest.main()

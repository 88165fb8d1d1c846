import keras
import numpy as np
from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_keras.training.accuracy import Accuracy


class AccuracyTest(absltest.TestCase):
    @settings(deadline=None, max_examples=30)
    @given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 12))
    def test_is_that_of_keras_over_batches_of_several_sizes(self, seed, classes):
        random = np.random.default_rng(seed)
        metrics = Accuracy(), keras.metrics.SparseCategoricalAccuracy()
        for size in (7, 1, 32):
            labels = random.integers(0, classes, size)
            logits = random.normal(size=(size, classes)).astype(np.float32)
            for metric in metrics:
                metric.update_state(labels, logits)
        self.assertAlmostEqual(float(metrics[0].result()), float(metrics[1].result()), places=6)

    def test_half_right(self):
        metric = Accuracy()
        metric.update_state([0, 1], [[2.0, 1.0], [3.0, -1.0]])
        self.assertEqual((metric.name, float(metric.result())), ("accuracy", 0.5))


if __name__ == "__main__":
    absltest.main()

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.models import wide_resnet
from rethink_keras.training.optimizers import DataDependent, whitened_sgd
from rethink_keras.training.whitening import covariance, first_layer, inverse_covariance
from tests.training.first_layers import dense_covariance, saved_weights, training_images
from tests.training.small_runs import paused, run, timeless

WHITENED = ("train.optimizer = @whitened_sgd", "train.learning_rate = 0.02")


class WhitenedSgdTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def after_one_step(self, *bindings):
        """All weights at the start, after a step of SGD and after one of whitened SGD."""
        bindings = (*bindings, "train.epochs = 1", "train.batch_size = 300")
        optimizers = ("train.learning_rate = 1e-30",), ("train.learning_rate = 0.02",), WHITENED
        return [
            saved_weights(run(self.folder / str(k), *bindings, *options).workdir)
            for k, options in enumerate(optimizers)
        ]

    def test_a_step_is_that_of_sgd_times_the_inverse(self):
        start, moved, whitened = self.after_one_step("mlp.hidden = '16'")
        _, batches = training_images()
        expected = inverse_covariance(dense_covariance(batches), 0.01) @ (moved[0] - start[0])
        np.testing.assert_allclose(whitened[0] - start[0], expected, rtol=1e-2, atol=5e-5)
        for a, b in zip(moved[1:], whitened[1:], strict=True):
            np.testing.assert_array_equal(a, b)

    def test_whitens_patches_for_a_convolution(self):
        weights = self.after_one_step("train.model = @wide_resnet", "wide_resnet.depth = 10")
        start, moved, whitened = (of_run[0].reshape(9, -1) for of_run in weights)
        _, batches = training_images()
        network = wide_resnet(batches.input_shape, 10, depth=10)
        moments = covariance(network, first_layer(network, batches, "test"), batches)
        expected = inverse_covariance(moments, 0.01) @ (moved - start)
        np.testing.assert_allclose(whitened - start, expected, rtol=1e-2, atol=5e-5)

    @parameterized.parameters("float32", "mixed_float16")
    def test_fits_random_labels_sooner(self, precision):
        random = ("randomization.labels = 'random'", "mlp.hidden = '128'", f"train.precision = '{precision}'")
        plain = run(self.folder / "plain", *random, "train.learning_rate = 0.02")
        ours = run(self.folder / "ours", *random, *WHITENED)
        self.assertLess(ours.history[-1]["train_loss"], plain.history[-1]["train_loss"] - 0.2)

    def test_a_resumed_run_ends_like_one_that_was_never_stopped(self):
        whole = run(self.folder / "whole", *WHITENED)
        paused(self.folder / "paused", 1, *WHITENED)
        resumed = run(self.folder / "paused", *WHITENED)
        self.assertEqual(timeless(resumed.history), timeless(whole.history))
        self.assertEqual(resumed.summary["fingerprints"], whole.summary["fingerprints"])

    def test_refuses_a_step_before_it_has_seen_images(self):
        optimizer, variable = whitened_sgd(0.1), keras.Variable(np.zeros((2, 2), np.float32))
        self.assertIsInstance(optimizer, DataDependent)
        optimizer.build([variable])
        with self.assertRaisesRegex(RuntimeError, "adapt"):
            optimizer.apply([tf.zeros((2, 2))])

    def test_works_on_one_device(self):
        with self.assertRaisesRegex(UserError, "whitened_sgd works on one device.*train.strategy = 'none'"):
            run(self.folder, *WHITENED, "train.strategy = 'mirrored'")

    @parameterized.parameters(0, -1.0, "much")
    def test_refuses_unusable_damping(self, damping):
        with self.assertRaisesRegex(UserError, "whitened_sgd.damping"):
            run(self.folder, *WHITENED, f"whitened_sgd.damping = {damping!r}")


if __name__ == "__main__":
    absltest.main()

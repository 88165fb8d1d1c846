from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.models import mlp, small_inception
from rethink_keras.training.initializations import whitened_first_kernel
from rethink_keras.training.whitening import covariance, first_layer, inverse_root
from tests.training.first_layers import saved_weights, training_images
from tests.training.small_runs import paused, run, timeless

WHITENED = "train.initialization = @whitened_first_kernel"


class WhitenedFirstKernelTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    @parameterized.parameters(mlp, small_inception)
    def test_begins_as_on_whitened_inputs(self, family):
        _, batches = training_images()
        network = family(batches.input_shape, 10)
        layer = first_layer(network, batches, "test")
        moments = covariance(network, layer, batches)
        before = layer.kernel.numpy().reshape(len(moments), -1)
        whitened_first_kernel(network, batches, damping=0.1)
        after = layer.kernel.numpy().reshape(len(moments), -1)
        np.testing.assert_allclose(after, inverse_root(moments, 0.1) @ before, rtol=1e-4, atol=1e-5)

    def test_several_devices_begin_alike(self):
        bindings = (WHITENED, "train.epochs = 1", "train.batch_size = 50", "train.learning_rate = 1e-30")
        one = run(self.folder / "one", *bindings, "train.strategy = 'none'")
        several = run(self.folder / "several", *bindings, "train.strategy = 'mirrored'")
        np.testing.assert_array_equal(saved_weights(one.workdir)[0], saved_weights(several.workdir)[0])

    def test_a_resumed_run_does_not_repeat_it(self):
        plain = run(self.folder / "plain", "train.epochs = 2")
        whole = run(self.folder / "whole", "train.epochs = 2", WHITENED)
        paused(self.folder / "paused", 1, "train.epochs = 2", WHITENED)
        resumed = run(self.folder / "paused", "train.epochs = 2", WHITENED)
        self.assertNotEqual(whole.history[0]["train_loss"], plain.history[0]["train_loss"])
        self.assertEqual(timeless(resumed.history), timeless(whole.history))

    @parameterized.parameters(
        ("train.initialization = @sgd", "train.initialization is sgd"),
        ("whitened_first_kernel.damping = 0", "whitened_first_kernel.damping"),
    )
    def test_refuses_unusable_values(self, binding, message):
        with self.assertRaisesRegex(UserError, message):
            run(self.folder, WHITENED, binding)


if __name__ == "__main__":
    absltest.main()

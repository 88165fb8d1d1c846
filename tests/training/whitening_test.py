import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.models import mlp, small_inception, wide_resnet
from rethink_keras.training.whitening import (
    covariance,
    inverse_covariance,
    inverse_root,
    whitened_first_kernel,
)
from tests.training.small_runs import SMALL, new_folder, paused, run, timeless

WHITENED = ("train.optimizer = @whitened_sgd", "train.learning_rate = 0.02")


def images():
    """The training images of a small run, float64 `[examples, inputs]`, and the batches they came from."""
    config.parse([], SMALL)
    try:
        batches = Splits.from_gin(None, 0).pipeline("train")
    finally:
        config.clear()
    of_all = next(batches.evaluation_batches(1000).as_numpy_iterator())[0]
    return np.float64(of_all.reshape(len(of_all), -1)), batches


def of_dense(batches):
    """The covariance of what the first layer of an MLP reads."""
    network = mlp(batches.input_shape, 10, hidden="16")
    return covariance(network, next(layer for layer in network.layers if layer.weights), batches)


class CovarianceTest(absltest.TestCase):
    def test_of_images(self):
        x, batches = images()
        np.testing.assert_allclose(of_dense(batches), x.T @ x / len(x), rtol=1e-4, atol=1e-4)

    def test_half_precision_rounds_images_and_not_their_sums(self):
        keras.config.set_dtype_policy("mixed_float16")
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        x, batches = images()
        rounded = np.float64(np.float16(x))
        np.testing.assert_allclose(of_dense(batches), rounded.T @ rounded / len(x), atol=1e-5)

    def test_of_patches_is_what_a_convolution_multiplies(self):
        _, batches = images()
        network = small_inception(batches.input_shape, 10)
        stem = network.get_layer("stem_conv")
        moments = covariance(network, stem, batches)
        outputs = np.float64(stem(next(iter(batches.evaluation_batches(1000)))[0]))
        kernel = np.float64(stem.kernel.numpy()).reshape(len(moments), -1)
        expected = np.sum(kernel * (moments @ kernel), axis=0)
        np.testing.assert_allclose(np.mean(outputs**2, axis=(0, 1, 2)), expected, rtol=1e-4)


class InverseCovarianceTest(absltest.TestCase):
    def test_whitens(self):
        x, batches = images()
        inverse = inverse_covariance(of_dense(batches), 1e-4)
        root = np.linalg.cholesky(inverse)
        whitened = x @ root
        self.assertAlmostEqual(np.mean(whitened**2), 1.0, places=4)
        spread = np.linalg.eigvalsh(x.T @ x / len(x))
        evened = np.linalg.eigvalsh(whitened.T @ whitened / len(x))
        directions = np.sum(spread > 1e-2)  # of digits, some pixels hardly vary
        self.assertGreater(directions, 30)
        np.testing.assert_allclose(evened[-directions:], evened[-1], rtol=0.02)

    def test_much_damping_leaves_images_as_they_are(self):
        _, batches = images()
        inverse = inverse_covariance(of_dense(batches), 1e9)
        np.testing.assert_allclose(inverse, np.eye(len(inverse)) * inverse[0, 0], atol=1e-6)


class WhitenedSgdTest(parameterized.TestCase):
    def test_a_step_is_that_of_sgd_times_the_inverse(self):
        start, moved, whitened = after_one_step("mlp.hidden = '16'")
        _, batches = images()
        expected = inverse_covariance(of_dense(batches), 0.01) @ (moved[0] - start[0])
        np.testing.assert_allclose(whitened[0] - start[0], expected, rtol=1e-2, atol=5e-5)
        for a, b in zip(moved[1:], whitened[1:], strict=True):
            np.testing.assert_array_equal(a, b)

    @parameterized.parameters("float32", "mixed_float16")
    def test_fits_random_labels_sooner(self, precision):
        random = ("randomization.labels = 'random'", "mlp.hidden = '128'", f"train.precision = '{precision}'")
        with new_folder() as folder:
            plain = run(folder / "plain", *random, "train.learning_rate = 0.02")
            ours = run(folder / "ours", *random, *WHITENED)
        self.assertLess(ours.history[-1]["train_loss"], plain.history[-1]["train_loss"] - 0.2)

    def test_goes_on_after_a_pause_as_if_nothing_had_happened(self):
        with new_folder() as folder:
            whole = run(folder / "whole", *WHITENED)
            paused(folder / "paused", 1, *WHITENED)
            resumed = run(folder / "paused", *WHITENED)
        self.assertEqual(timeless(resumed.history), timeless(whole.history))
        self.assertEqual(resumed.summary["fingerprints"], whole.summary["fingerprints"])

    def test_whitens_patches_for_a_convolution(self):
        weights = after_one_step("train.model = @wide_resnet", "wide_resnet.depth = 10")
        start, moved, whitened = (of[0].reshape(9, -1) for of in weights)
        _, batches = images()
        network = wide_resnet(batches.input_shape, 10, depth=10)
        first = next(layer for layer in network.layers if layer.weights)
        inverse = inverse_covariance(covariance(network, first, batches), 0.01)
        np.testing.assert_allclose(whitened - start, inverse @ (moved - start), rtol=1e-2, atol=5e-5)

    def test_works_on_one_device(self):
        with new_folder() as folder, self.assertRaisesRegex(UserError, "works on one device"):
            run(folder, *WHITENED, "train.strategy = 'mirrored'")

    @parameterized.parameters(0, -1.0, "much")
    def test_tells_of_unusable_damping(self, damping):
        with new_folder() as folder, self.assertRaisesRegex(UserError, "whitened_sgd.damping"):
            run(folder, *WHITENED, f"whitened_sgd.damping = {damping!r}")


class WhitenedFirstKernelTest(parameterized.TestCase):
    @parameterized.parameters(mlp, small_inception)
    def test_begins_as_on_whitened_inputs(self, family):
        _, batches = images()
        network = family(batches.input_shape, 10)
        layer = next(layer for layer in network.layers if layer.weights)
        moments = covariance(network, layer, batches)
        before = layer.kernel.numpy().reshape(len(moments), -1)
        whitened_first_kernel(network, batches, damping=0.1)
        root = inverse_root(moments, 0.1)
        after = layer.kernel.numpy().reshape(len(moments), -1)
        np.testing.assert_allclose(after, root @ before, rtol=1e-4, atol=1e-5)
        self.assertAlmostEqual(np.trace(root @ moments @ root), np.trace(moments), places=6)
        # Sums in float32 are not quite symmetric on every processor, and `eigh` reads one half of the matrix.
        moments = np.tril(moments) + np.tril(moments, -1).T
        np.testing.assert_allclose(
            root @ root / inverse_covariance(moments, 0.1), np.trace(moments) / len(moments)
        )

    def test_several_devices_begin_alike(self):
        bindings = (
            "train.initialization = @whitened_first_kernel",
            "train.epochs = 1",
            "train.batch_size = 50",
        )
        bindings = (*bindings, "train.learning_rate = 1e-30")
        with new_folder() as folder:
            one = run(folder / "one", *bindings, "train.strategy = 'none'")
            several = run(folder / "several", *bindings, "train.strategy = 'mirrored'")
            np.testing.assert_array_equal(kernels(one.workdir)[0], kernels(several.workdir)[0])

    def test_a_run_begins_with_it_and_goes_on_without_doing_it_again(self):
        bindings = ("train.initialization = @whitened_first_kernel", "train.epochs = 2")
        with new_folder() as folder:
            plain = run(folder / "plain", *bindings[1:])
            whole = run(folder / "whole", *bindings)
            paused(folder / "paused", 1, *bindings)
            resumed = run(folder / "paused", *bindings)
        self.assertNotEqual(whole.history[0]["train_loss"], plain.history[0]["train_loss"])
        self.assertEqual(timeless(resumed.history), timeless(whole.history))

    @parameterized.parameters(
        ("train.initialization = @sgd", "train.initialization is sgd"),
        ("whitened_first_kernel.damping = 0", "whitened_first_kernel.damping"),
    )
    def test_tells_what_cannot_be_used(self, binding, told):
        bindings = ("train.initialization = @whitened_first_kernel", binding)
        with new_folder() as folder, self.assertRaisesRegex(UserError, told):
            run(folder, *bindings)


def after_one_step(*bindings):
    """All weights at the start, after a step of SGD and after one of whitened SGD."""
    bindings = (*bindings, "train.epochs = 1", "train.batch_size = 300")
    ways = ("train.learning_rate = 1e-30",), ("train.learning_rate = 0.02",), WHITENED
    with new_folder() as folder:
        return [kernels(run(folder / str(k), *bindings, *way).workdir) for k, way in enumerate(ways)]


def kernels(workdir):
    """All weights of a run's saved network."""
    return keras.saving.load_model(workdir / "model.keras").get_weights()


if __name__ == "__main__":
    absltest.main()

"""The network that is saved for users, read by a process that has Keras and not this package."""

import functools
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import models
from rethink_keras.models.copies import has_batch_norm, plain_network, replace_batch_norm
from rethink_keras.models.layers.batch_normalization import FusedBatchNormalization
from rethink_keras.models.nested import all_layers
from rethink_keras.training.export import save_plain

SHAPE = (28, 28, 3)
NETWORKS = {  # builder, weight decay, policy
    "mlp": (functools.partial(models.mlp, hidden="64x32", dropout=0.5), 0, "float32"),
    "mlp_weight_decay": (models.mlp, 1e-3, "float32"),
    "small_inception": (models.small_inception, 0, "float32"),
    "small_inception_no_batch_norm": (
        functools.partial(models.small_inception, batch_norm=False),
        0,
        "float32",
    ),
    "small_inception_mixed_float16": (models.small_inception, 4e-5, "mixed_float16"),
    "small_alexnet": (functools.partial(models.small_alexnet, initializer="tutorial"), 0.004, "float32"),
    "small_alexnet_mixed_bfloat16": (models.small_alexnet, 0, "mixed_bfloat16"),
    "wide_resnet": (functools.partial(models.wide_resnet, depth=10, dropout=0.3), 1e-4, "float32"),
    "inception_v3": (functools.partial(models.inception_v3, dropout=0.2), 4e-5, "float32"),
}
# Reads each network and writes its predictions; isolated from the environment and the working directory.
BARE_PROCESS = """
import importlib.util, json, sys
assert importlib.util.find_spec("rethink_keras") is None
import keras, numpy
folder = sys.argv[1]
images = numpy.load(folder + "/images.npy")
facts = {}
for name in sys.argv[2:]:
    network = keras.models.load_model(f"{folder}/{name}.keras")
    numpy.save(f"{folder}/{name}.npy", network.predict(images, verbose=0))
    gone = not any(name.split(".")[0] == "rethink_keras" for name in sys.modules)
    facts[name] = [gone, network.compiled, len(network.trainable_weights), len(network.losses)]
print(json.dumps(facts))
"""


@functools.cache
def built(name):
    """A network whose weights and moving averages are not the initial ones."""
    build, weight_decay, policy = NETWORKS[name]
    before = keras.config.dtype_policy()
    keras.utils.set_random_seed(1)
    try:
        keras.config.set_dtype_policy(policy)
        network = build(SHAPE, 10)
        if weight_decay:
            network = models.with_weight_decay(network, weight_decay)
    finally:
        keras.config.set_dtype_policy(before)
    generator = np.random.default_rng(2)
    for weight in network.weights:
        noise = generator.uniform(-0.01, 0.01, weight.shape)
        weight.assign(np.asarray(weight) * generator.uniform(0.9, 1.1, weight.shape) + noise)
    network.compile("sgd", "mse", metrics=["accuracy"])
    return network


class PlainNetworkTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.enter_context(tempfile.TemporaryDirectory()))
        cls.images = np.random.default_rng(3).normal(size=(4, *SHAPE)).astype(np.float32)
        np.save(cls.folder / "images.npy", cls.images)
        for name in NETWORKS:
            save_plain(built(name), cls.folder / f"{name}.keras")
        empty = cls.folder / "empty"
        empty.mkdir()
        command = [sys.executable, "-I", "-c", BARE_PROCESS, str(cls.folder), *NETWORKS]
        done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.facts = json.loads(done.stdout.splitlines()[-1])

    @parameterized.named_parameters((name, name) for name in NETWORKS)
    def test_a_process_without_this_package_predicts_the_same(self, name):
        network = built(name)
        gone, compiled, trainable, losses = self.facts[name]
        self.assertTrue(gone)
        self.assertFalse(compiled)
        self.assertEqual((trainable, losses), (len(network.trainable_weights), len(network.losses)))
        expected = network.predict(self.images, verbose=0)
        self.assertBetween(expected.std(), 1e-3, 1e3)
        tolerance = 1e-4 if "mixed" not in name else 5e-2
        np.testing.assert_allclose(
            np.load(self.folder / f"{name}.npy"), expected, atol=tolerance * expected.std()
        )

    def test_leaves_no_other_file(self):
        self.assertLen([path for path in self.folder.iterdir() if path.suffix == ".keras"], len(NETWORKS))

    def test_can_be_trained_on(self):
        network = plain_network(built("small_alexnet"))
        network.compile(keras.optimizers.SGD(1e-3), "mse")
        before = network.get_weights()
        network.fit(self.images, np.zeros((4, 10)), verbose=0)
        for one, other in zip(before, network.get_weights(), strict=True):
            self.assertFalse(np.array_equal(one, other))

    def test_changes_neither_the_network_nor_pythons_generator(self):
        network = built("wide_resnet")
        weights, optimizer, state = network.get_weights(), network.optimizer, random.getstate()
        plain_network(network)
        self.assertEqual(random.getstate(), state)
        self.assertIs(network.optimizer, optimizer)
        for one, other in zip(weights, network.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    @parameterized.parameters(
        keras.layers.BatchNormalization(synchronized=True), FusedBatchNormalization(name="fused")
    )
    def test_batch_norm_becomes_keras_own_over_one_replica(self, layer):
        images = keras.Input((2, 2, 1))
        plain = plain_network(keras.Model(images, layer(images))).layers[-1]
        self.assertIs(type(plain), keras.layers.BatchNormalization)
        self.assertFalse(plain.synchronized)
        self.assertEqual(plain.name, layer.name)


class ReplaceBatchNormTest(absltest.TestCase):
    def test_reaches_nested_networks_and_keeps_all_else(self):
        images = keras.Input(SHAPE)
        network = keras.Model(images, models.small_inception(SHAPE, 10)(images), name="outer")
        fused = replace_batch_norm(network, FusedBatchNormalization, momentum=0.5)
        kept = [
            (one, other)
            for one, other in zip(all_layers(network), all_layers(fused), strict=True)
            if not isinstance(other, FusedBatchNormalization)
        ]
        self.assertLen(
            [layer for layer in all_layers(fused) if isinstance(layer, FusedBatchNormalization)], 19
        )
        self.assertEqual([type(one) for one, _ in kept], [type(other) for _, other in kept])
        momenta = {getattr(layer, "momentum", 0.5) for layer in all_layers(fused)}
        self.assertEqual((momenta, fused.name), ({0.5}, "outer"))

    def test_draws_and_predicts_as_the_network_itself(self):
        images = np.random.default_rng(4).normal(size=(4, *SHAPE)).astype(np.float32)
        network, state = models.wide_resnet(SHAPE, 10, depth=10, dropout=0.5), random.getstate()
        copy = replace_batch_norm(network, keras.layers.BatchNormalization)
        self.assertEqual(random.getstate(), state)
        for training in (True, False):  # the same dropout masks too
            np.testing.assert_array_equal(network(images, training=training), copy(images, training=training))

    def test_keeps_the_precision_of_the_network(self):
        network = built("small_inception_mixed_float16")
        copy = replace_batch_norm(network, keras.layers.BatchNormalization)
        self.assertEqual(copy.dtype_policy, network.dtype_policy)

    def test_has_batch_norm(self):
        self.assertTrue(has_batch_norm(built("small_inception")))
        self.assertFalse(has_batch_norm(built("mlp")))


if __name__ == "__main__":
    absltest.main()

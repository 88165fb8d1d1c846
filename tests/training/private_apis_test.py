"""The private parts of Keras still have the meaning that this project relies on."""

import re
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.training import private_apis

ROOT = Path(__file__).parents[2]


class CheckVersionTest(absltest.TestCase):
    def test_the_required_version_is_tested(self):
        required = re.search(r"^keras==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
        self.assertEqual(required[1], private_apis.TESTED_KERAS[-1])
        private_apis.check_version()

    def test_refuses_another_version_and_names_the_remedy(self):
        with (
            mock.patch.object(keras, "__version__", "3.99.0"),
            self.assertRaisesRegex(UserError, r"3\.99\.0.*pip install keras==3\.15\.1"),
        ):
            private_apis.check_version()


class PrivateApisTest(absltest.TestCase):
    def test_adam_averages(self):
        variables = [keras.Variable(np.zeros(2, np.float32)) for _ in range(2)]
        optimizer = keras.optimizers.Adam(beta_1=0.5, beta_2=0.75)
        optimizer.build(variables)
        optimizer.apply([tf.constant([1.0, 2.0]), tf.constant([4.0, 8.0])])
        self.assertEqual(private_apis.variable_index(optimizer, variables[1]), 1)
        mean, mean_square = private_apis.adam_averages(optimizer, variables[1])
        np.testing.assert_allclose(mean, [2, 4])
        np.testing.assert_allclose(mean_square, [4, 16])

    def test_build_metrics_and_loss(self):
        images = keras.Input((2, 2, 1))
        network = keras.Model(images, keras.layers.Dense(3)(keras.layers.Flatten()(images)))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile("sgd", loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
        before = len(network.metrics_variables)
        private_apis.build_metrics_and_loss(network, (2, 2, 1))
        self.assertGreater(len(network.metrics_variables), before)


if __name__ == "__main__":
    absltest.main()

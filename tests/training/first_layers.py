"""The training images of small runs, and the first layers that read them."""

import keras
import numpy as np

from rethink_keras import config
from rethink_keras.data.splits import Splits
from rethink_keras.models import mlp
from rethink_keras.training.whitening import covariance, first_layer
from tests.training.small_runs import SMALL


def training_images():
    """The training images of a small run, float64 `[examples, inputs]`, and the batches that contain them."""
    config.parse([], SMALL)
    try:
        batches = Splits.from_gin(None, 0).pipeline("train")
    finally:
        config.clear()
    images = next(batches.evaluation_batches(1000).as_numpy_iterator())[0]
    return np.float64(images.reshape(len(images), -1)), batches


def dense_covariance(batches):
    """The covariance of what the first layer of an MLP reads."""
    network = mlp(batches.input_shape, 10, hidden="16")
    return covariance(network, first_layer(network, batches, "test"), batches)


def saved_weights(workdir):
    """All weights of a run's `model.keras`."""
    return keras.saving.load_model(workdir / "model.keras").get_weights()

"""The networks of Theorem 1 and its corollary (section 4) as Keras models in float64."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from rethink_keras.theory.expressivity import CHUNK, TwoLayerNetwork
from rethink_keras.theory.parallel import panels
from rethink_keras.validation import check_int


@keras.saving.register_keras_serializable("rethink_keras")
class RampLayer(layers.Layer):
    """A hidden layer of ReLU units max(z - bⱼ, 0), whose weighted sum is added to that of the layers before.

    Input and output are pairs `[batch, 2]`: the projection z and the sum so far. Four more ReLU units pass the pair on,
    two for each number: its positive and its negative part.

    Args:
        units: Number of units with a threshold.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        """Creates the thresholds b and the weights w, both `[units]`."""
        del input_shape
        self.b = self.add_weight(shape=(self.units,), name="b")
        self.w = self.add_weight(shape=(self.units,), name="w")

    def call(self, pair):
        """Returns the pair after this layer."""
        ramps = ops.relu(pair[:, :1] - self.b)
        carried = ops.relu(pair) - ops.relu(-pair)
        total = carried[:, 1] + ops.squeeze(ops.matmul(ramps, self.w[:, None]), -1)
        return ops.stack([carried[:, 0], total], axis=1)

    def get_config(self):
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "units": self.units}


def deep_model(network: TwoLayerNetwork, depth: int) -> keras.Model:
    """Returns the corollary's network: the same function by hidden layers of n / (depth - 1) units, plus four each.

    Args:
        network: The network of Theorem 1.
        depth: Number of layers with the output; 2 is Theorem 1.

    Returns:
        A model in float64 with 2n + d weights.

    Raises:
        UserError: The depth is below 2 or above n + 1.
    """
    check_int("depth", depth, 2, len(network.b) + 1)
    points = keras.Input((len(network.a),), dtype="float64", name="points")
    project = layers.Dense(1, use_bias=False, dtype="float64", name="projection")
    z = project(points)
    pair = layers.Concatenate(dtype="float64", name="pair")([z, ops.zeros_like(z)])
    groups = np.array_split(np.arange(len(network.b)), depth - 1)
    hidden = [RampLayer(len(g), dtype="float64", name=f"ramps_{k}") for k, g in enumerate(groups, start=1)]
    for layer in hidden:
        pair = layer(pair)
    model = keras.Model(points, pair[:, 1], name=f"theorem_1_depth_{depth}")
    project.set_weights([network.a[:, np.newaxis]])
    for layer, group in zip(hidden, groups, strict=True):
        layer.set_weights([network.b[group], network.w[group]])
    return model


def evaluate(model: keras.Model, points: np.ndarray) -> np.ndarray:
    """Returns a model's values on float64 points `[examples, dimensions]`. Keras's `predict` rounds them to float32."""
    chunks = panels(len(points), CHUNK)
    return np.concatenate([ops.convert_to_numpy(model(ops.convert_to_tensor(points[c]))) for c in chunks])

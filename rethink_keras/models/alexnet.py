"""The small AlexNet of the paper's CIFAR-10 experiments."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from rethink_keras.errors import UserError
from rethink_keras.models.family import check_shapes, family
from rethink_keras.models.layers.local_response_normalization import LocalResponseNormalization

# Layer name -> (standard deviation of the truncated normal weights, constant bias) in the tutorial.
_TUTORIAL = {
    "conv_1": (0.05, 0.0),
    "conv_2": (0.05, 0.1),
    "hidden_1": (0.04, 0.1),
    "hidden_2": (0.04, 0.1),
    "logits": (1.0 / 192.0, 0.0),
}
_INITIALIZERS = ("glorot_uniform", "tutorial")


@family(weight_decay=0.004, decayed_layers=("hidden_1", "hidden_2"))
def small_alexnet(
    input_shape: tuple[int, int, int], num_classes: int, *, initializer: str = "glorot_uniform"
) -> keras.Model:
    """Builds the small AlexNet of the paper's appendix A.

    The layers are twice (5x5 convolution of 64 filters, ReLU, 3x3 max pool with stride 2, local response
    normalization), then dense layers of 384 and 192 units, then the logits. They have 1,387,786 trainable
    parameters for 28x28x3 images and 10 classes. The smallest side is 4 pixels.

    The default weight decay is 0.004 on the two hidden dense layers, as in TensorFlow's former CIFAR-10 tutorial,
    where the network comes from.

    Args:
        input_shape: Shape of one image, `[height, width, channels]`.
        num_classes: Number of logits.
        initializer: `'glorot_uniform'` (biases zero), or `'tutorial'` for the tutorial's truncated normal
            weights of standard deviation 0.05 (convolutions), 0.04 (hidden layers) and 1/192 (logits), with
            biases of 0.1 in the second convolution and the hidden layers and 0 elsewhere.

    Returns:
        A model from float `[batch, height, width, channels]` to float32 logits `[batch, num_classes]`.

    Raises:
        UserError: The images are too small, a shape is not valid, or the initializer is unknown.
    """
    check_shapes("small_alexnet", input_shape, num_classes, smallest_side=4)
    if initializer not in _INITIALIZERS:
        raise UserError(
            f"small_alexnet does not know the initializer {initializer!r}. "
            f"Use {' or '.join(repr(name) for name in _INITIALIZERS)}."
        )

    def options(name: str) -> dict[str, Any]:
        if initializer == "glorot_uniform":
            return {"name": name}
        stddev, bias = _TUTORIAL[name]
        return {
            "name": name,
            "kernel_initializer": keras.initializers.TruncatedNormal(stddev=stddev),
            "bias_initializer": keras.initializers.Constant(bias),
        }

    images = keras.Input(input_shape, name="images")
    x = images
    for number in (1, 2):
        x = layers.Conv2D(64, 5, padding="same", activation="relu", **options(f"conv_{number}"))(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"pool_{number}")(x)
        x = LocalResponseNormalization(name=f"normalization_{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(384, activation="relu", **options("hidden_1"))(x)
    x = layers.Dense(192, activation="relu", **options("hidden_2"))(x)
    logits = layers.Dense(num_classes, dtype="float32", **options("logits"))(x)
    return keras.Model(images, logits, name="small_alexnet")

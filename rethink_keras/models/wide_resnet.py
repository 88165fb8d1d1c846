"""Wide residual networks, the convolutional model of the companion demonstration code."""

from __future__ import annotations

import keras
from keras import layers

from rethink_keras.errors import UserError
from rethink_keras.models.family import check_shapes, family, glorot
from rethink_keras.validation import check_choice, check_fraction, check_int

MOST_DEPTH, MOST_WIDTH = 1000, 100
_LOGITS_INITIALIZERS = ("uniform", "glorot_normal")
_DROPOUT_PLACES = ("before_convolution", "before_norm")


@family(weight_decay=1e-4)
def wide_resnet(
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    depth: int = 28,
    width: int = 1,
    logits_initializer: str = "uniform",
    dropout_place: str = "before_convolution",
    dropout: float = 0.0,
) -> keras.Model:
    """Builds a wide residual network with pre-activation blocks.

    The layers are a convolution of 16 filters, three groups of (depth - 4) / 6 blocks with 16, 32 and 64 times
    `width` filters (the second and third group halve the image), batch normalization with offset and scale, ReLU,
    global mean pool and logits. Depth 28 and width 1 have 369,498 trainable parameters for 32x32x3 images and 10
    classes. The smallest side is 4 pixels.

    These conventions are the companion code's:

    - a 3x3 convolution pads one pixel on every side, also with stride 2;
    - batch normalization keeps 0.9 of its moving statistics at each step and adds 1e-5 to the variance;
    - kernels start from a normal distribution of variance 2 / (9 * filters) for 3x3 and 2 / filters for 1x1 (He
      by fan-out), and the bias of the logits from zero;
    - the default weight decay is 1e-4.

    Two more of its conventions are not the default, see `logits_initializer` and `dropout_place`.

    Args:
        input_shape: Shape of one image, `[height, width, channels]`.
        num_classes: Number of logits.
        depth: 6n + 4 for n blocks in each of the three groups, at least 10. WRN-28-1 has depth 28 and width 1.
        width: Factor on the numbers of filters, at least 1.
        logits_initializer: `'uniform'` within 1 / sqrt(inputs), or `'glorot_normal'` of variance
            2 / (inputs + classes), the companion code's.
        dropout_place: Position of dropout between a block's two convolutions: `'before_convolution'`, right before
            the second, as published with the network; or `'before_norm'`, right after the first, before the batch
            normalization, as in the companion code.
        dropout: Fraction of the activations dropped in training.

    Returns:
        A model from float `[batch, height, width, channels]` to float32 logits `[batch, num_classes]`.

    Raises:
        UserError: The depth is not 6n + 4, or the width, an option, a shape or the dropout is not valid.
    """
    check_shapes("wide_resnet", input_shape, num_classes, smallest_side=4)
    check_fraction("regularization.dropout", dropout)
    check_choice("wide_resnet.logits_initializer", logits_initializer, _LOGITS_INITIALIZERS)
    check_choice("wide_resnet.dropout_place", dropout_place, _DROPOUT_PLACES)
    check_int("wide_resnet.depth", depth, 10, MOST_DEPTH)
    check_int("wide_resnet.width", width, 1, MOST_WIDTH)
    if depth % 6 != 4:
        raise UserError(
            f"wide_resnet needs a depth of 6n + 4, for example 10, 16, 22 or 28, and not {depth}."
        )

    images = keras.Input(input_shape, name="images")
    x = _conv(images, 16, 3, 1, "stem")
    for group, filters in enumerate((16 * width, 32 * width, 64 * width), start=1):
        for block in range(1, (depth - 4) // 6 + 1):
            strides = 2 if group > 1 and block == 1 else 1
            x = _block(x, filters, strides, dropout, dropout_place, f"group_{group}_block_{block}")
    x = _norm_relu(x, "final")
    x = layers.GlobalAveragePooling2D(name="mean_pool")(x)
    if logits_initializer == "uniform":
        initializer = keras.initializers.VarianceScaling(1.0 / 3.0, mode="fan_in", distribution="uniform")
    else:
        initializer = glorot(logits_initializer)
    logits = layers.Dense(num_classes, kernel_initializer=initializer, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name=f"wide_resnet_{depth}_{width}")


def _block(x, filters: int, strides: int, dropout: float, dropout_place: str, name: str):
    """Adds one residual block; the shortcut is a 1x1 convolution where the number of filters changes."""

    def drop(y, place: str):
        return layers.Dropout(dropout, name=f"{name}_dropout")(y) if dropout and place == dropout_place else y

    activated = _norm_relu(x, f"{name}_1")
    y = drop(_conv(activated, filters, 3, strides, f"{name}_1"), "before_norm")
    y = drop(_norm_relu(y, f"{name}_2"), "before_convolution")
    y = _conv(y, filters, 3, 1, f"{name}_2")
    shortcut = x if x.shape[-1] == filters else _conv(activated, filters, 1, strides, f"{name}_shortcut")
    return layers.Add(name=f"{name}_add")([shortcut, y])


def _norm_relu(x, name: str):
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _conv(x, filters: int, size: int, strides: int, name: str):
    if size > 1 and strides > 1:
        # 'same' with a stride pads at the far sides only, a pixel off the 1x1 convolution of the shortcut.
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
        padding = "valid"
    else:
        padding = "same"
    normal = keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding=padding,
        use_bias=False,
        kernel_initializer=normal,
        name=f"{name}_conv",
    )(x)

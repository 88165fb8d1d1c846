"""Multilayer perceptrons: the paper's 1x512 and 3x512, and any other widths."""

from __future__ import annotations

import re
from collections.abc import Sequence

import keras
from keras import layers

from rethink_keras.errors import UserError
from rethink_keras.models.family import GLOROT, check_shapes, family, glorot
from rethink_keras.system.text import shortened
from rethink_keras.validation import check_choice, check_fraction, check_number

MOST_UNITS = 1_000_000  # of a hidden layer
MOST_LAYERS = 256  # hidden ones; Keras recurses once for each layer, and Python stops recursion at 1,000


@family(weight_decay=1e-4)
def mlp(
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    hidden: str | int | Sequence[int] = "512",
    bias: bool = True,
    initializer: str = "glorot_uniform",
    gain: float = 1.0,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds a perceptron with ReLU hidden layers on the flattened image.

    The paper's perceptrons are `'512'` (1,209,866 trainable parameters for 28x28x3 images and 10 classes) and
    `'512x512x512'` (1,735,178). The companion code has no biases: its `'512'` on 32x32x3 images is
    `hidden='512', bias=False` here, with 1,577,984 trainable parameters.

    The default weight decay is 1e-4, the companion code's.

    Args:
        input_shape: Shape of one image, `[height, width, channels]`.
        num_classes: Number of logits.
        hidden: Widths of the hidden layers joined by x, for example `'512x128x512'`; or an integer; or a
            sequence of integers.
        bias: Whether layers have biases, the last one included.
        initializer: Distribution of the initial kernels, of variance 2 / (inputs + outputs): `'glorot_uniform'`,
            or `'glorot_normal'` for the companion code's normal one, not truncated. Biases start at zero.
        gain: Factor on the initial kernels of the hidden layers. Above 1, the initial features separate
            neighbouring images more, and random labels are fitted sooner.
        dropout: Fraction of each hidden layer's units dropped in training.

    Returns:
        A model from float `[batch, height, width, channels]` to float32 logits `[batch, num_classes]`.

    Raises:
        UserError: The widths are not valid, the initializer is unknown, or a shape, the gain or the dropout
            is not valid.
    """
    check_shapes("mlp", input_shape, num_classes)
    check_fraction("regularization.dropout", dropout)
    check_choice("mlp.initializer", initializer, tuple(GLOROT))
    check_number("mlp.gain", gain, 1e-6, 1e6)
    images = keras.Input(input_shape, name="images")
    x = layers.Flatten(name="flatten")(images)
    for number, width in enumerate(_widths(hidden), start=1):
        x = layers.Dense(
            width,
            activation="relu",
            use_bias=bias,
            kernel_initializer=glorot(initializer, gain),
            name=f"hidden_{number}",
        )(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout_{number}")(x)
    logits = layers.Dense(
        num_classes, use_bias=bias, kernel_initializer=glorot(initializer), dtype="float32", name="logits"
    )(x)
    return keras.Model(images, logits, name="mlp")


def _widths(hidden: str | int | Sequence[int]) -> list[int]:
    """Returns the widths of the hidden layers; raises UserError if they are not a list of widths."""
    parts: Sequence[object]
    if isinstance(hidden, str):
        is_list = re.fullmatch(r"\d{1,9}(x\d{1,9})*", hidden, re.ASCII)
        parts = [int(part) for part in hidden.split("x")] if is_list else []
    else:
        parts = hidden if isinstance(hidden, Sequence) else [hidden]
    widths = [p for p in parts if isinstance(p, int) and not isinstance(p, bool) and 0 < p <= MOST_UNITS]
    if not widths or len(widths) < len(parts):
        raise UserError(
            f"mlp does not understand hidden = {shortened(hidden)}. Give the widths of the hidden layers joined by x, "
            f"for example '512' or '512x512x512', each at most {MOST_UNITS:,}."
        )
    if len(widths) > MOST_LAYERS:
        raise UserError(f"mlp.hidden names {len(widths)} hidden layers. Give at most {MOST_LAYERS}.")
    return widths

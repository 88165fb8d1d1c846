"""Inception V3, the model of the paper's ImageNet experiments."""

from __future__ import annotations

import keras
from keras import layers

from rethink_keras.models.family import check_shapes, family
from rethink_keras.validation import check_fraction

SMALLEST_SIDE = 75  # that the strides of Inception V3 need


@family(weight_decay=4e-5, dropout=0.2)
def inception_v3(
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    batch_norm_momentum: float = 0.9,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds Inception V3 from `keras.applications`, without pretrained weights, with logits out.

    The paper trains it on 299x299x3 images of 1,000 classes (section 2 and table 2). Images with a side below 75
    pixels are enlarged. There is no auxiliary classifier. The model is flat: no model is nested in it.

    The default weight decay is 4e-5 and the default dropout 0.2, as in the TF-Slim Inception models.

    Args:
        input_shape: Shape of one image, `[height, width, channels]`.
        num_classes: Number of logits.
        batch_norm_momentum: Fraction of the moving averages kept at each step, as in `small_inception`.
            Deviation: the paper does not state it; TF-Slim has 0.9997 and `keras.applications` 0.99.
        dropout: Fraction of the pooled features dropped in training, before the logits.

    Returns:
        A model from float `[batch, height, width, channels]` to float32 logits `[batch, num_classes]`.

    Raises:
        UserError: A shape, the momentum or the dropout is not valid.
    """
    check_shapes("inception_v3", input_shape, num_classes)
    check_fraction("regularization.dropout", dropout)
    check_fraction("inception_v3.batch_norm_momentum", batch_norm_momentum)
    images = x = keras.Input(tuple(input_shape))
    height, width, channels = input_shape
    if min(height, width) < SMALLEST_SIDE:
        height, width = max(height, SMALLEST_SIDE), max(width, SMALLEST_SIDE)
        x = layers.Resizing(height, width, name="enlarge")(x)
    body = keras.applications.InceptionV3(
        include_top=False, weights=None, input_tensor=x, input_shape=(height, width, channels), pooling="avg"
    )
    for layer in body.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = batch_norm_momentum
    x = body.output
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name="inception_v3")

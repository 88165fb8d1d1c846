"""Inception V3, the model of the paper's ImageNet experiments."""

from __future__ import annotations

import keras
from keras import layers

from rethink_keras.models.family import check_dropout, check_shapes, family
from rethink_keras.validation import check_number

__all__ = ["inception_v3"]


SMALLEST_SIDE = 75


@family(weight_decay=4e-5, dropout=0.2)
def inception_v3(
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    batch_norm_momentum: float = 0.9,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds Inception V3 from `keras.applications`, without pretrained weights, with logits out.

    The paper trains it on 299x299x3 images of 1,000 classes (section 2 and table 2); the least side is 75
    pixels. There is no auxiliary classifier. The model is flat: its layers are not in a nested model.

    The default weight decay is 4e-5, the default of the TF-Slim Inception models, and the default
    dropout is 0.2, which is TF-Slim's keep probability of 0.8.

    Args:
      input_shape: Shape of one image, `[height, width, channels]`.
      num_classes: Number of logits.
      batch_norm_momentum: Fraction of the moving averages kept at each step, as in `small_inception`. Departs:
        the paper does not state it, TF-Slim used 0.9997 and `keras.applications` 0.99.
      dropout: Fraction of the pooled features dropped in training, before the logits.

    Returns:
      A model from float `[batch, height, width, channels]` to float32 logits `[batch, num_classes]`.

    Raises:
      UserError: The images are too small, or a shape, the momentum or the dropout is not valid.
    """
    check_shapes("inception_v3", input_shape, num_classes, smallest_side=1)
    check_dropout(dropout)
    check_number("inception_v3.batch_norm_momentum", batch_norm_momentum, 0, 0.99999)
    images = x = keras.Input(tuple(input_shape))
    height, width, channels = input_shape
    if min(height, width) < SMALLEST_SIDE:
        # Its strides need this much; smaller images are enlarged, as users of CIFAR-10 do.
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

"""The small Inception of the paper's CIFAR-10 experiments, with and without batch normalization."""

from __future__ import annotations

import keras
from keras import layers

from rethink_keras.models.family import check_shapes, family
from rethink_keras.validation import check_fraction, check_number

# The body after the first convolution (figure 3). A pair (a, b) is an inception module: `a` filters of 1x1 and `b`
# of 3x3 in parallel. A number is a downsample module: that many filters of 3x3 with stride 2, and a max pool.
_MODULES: tuple[tuple[int, int] | int, ...] = (
    (32, 32),
    (32, 48),
    80,
    (112, 48),
    (96, 64),
    (80, 80),
    (48, 96),
    96,
    (176, 160),
    (176, 160),
)


@family(weight_decay=4e-5)
def small_inception(
    input_shape: tuple[int, int, int],
    num_classes: int,
    *,
    batch_norm: bool = True,
    batch_norm_momentum: float = 0.9,
    batch_norm_epsilon: float = 1e-3,
) -> keras.Model:
    """Builds the small Inception of the paper's figure 3 and appendix A.

    A network of ten modules of two branches, with 1,649,402 trainable parameters for 28x28x3 images and 10
    classes. With batch normalization, convolutions have no bias, and the normalization has an offset and no
    scale; without, convolutions have a bias. So both have the same number of parameters.

    The last pool is a global mean, which at 28x28 is the paper's 7x7. Two modules halve the image, so the
    smallest side is 4 pixels.

    The default weight decay is 4e-5, the default of the TF-Slim Inception models.

    Args:
        input_shape: Shape of one image, `[height, width, channels]`.
        num_classes: Number of logits.
        batch_norm: Whether every convolution is followed by batch normalization.
        batch_norm_momentum: Fraction of the moving averages kept at each step. It changes evaluation, not
            training. Deviation: the paper does not state it, and TF-Slim's Inception models had 0.9997. The
            companion code's 0.9 averages over about 10 steps. Keras's 0.99 averages over about 100, which lag far
            behind the weights at a learning rate near 0.1; `evaluation.batch_norm = 'recomputed'` has no lag.
        batch_norm_epsilon: Added to the variance. The paper does not state it; this is TF-Slim's.

    Returns:
        A model from float `[batch, height, width, channels]` to float32 logits `[batch, num_classes]`.

    Raises:
        UserError: The images are too small, or a shape or a number is not valid.
    """
    check_shapes("small_inception", input_shape, num_classes, smallest_side=4)
    check_fraction("small_inception.batch_norm_momentum", batch_norm_momentum)
    check_number("small_inception.batch_norm_epsilon", batch_norm_epsilon, 1e-10, 1e3)

    def conv_module(x, filters: int, size: int, name: str, strides: int = 1):
        x = layers.Conv2D(
            filters, size, strides=strides, padding="same", use_bias=not batch_norm, name=f"{name}_conv"
        )(x)
        if batch_norm:
            x = layers.BatchNormalization(
                momentum=batch_norm_momentum, epsilon=batch_norm_epsilon, scale=False, name=f"{name}_norm"
            )(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    images = keras.Input(input_shape, name="images")
    x = conv_module(images, 96, 3, "stem")
    for number, module in enumerate(_MODULES, start=1):
        if isinstance(module, tuple):
            name = f"inception_{number}"
            narrow, wide = module
            branches = [conv_module(x, narrow, 1, f"{name}_1x1"), conv_module(x, wide, 3, f"{name}_3x3")]
        else:
            name = f"downsample_{number}"
            branches = [
                conv_module(x, module, 3, f"{name}_3x3", strides=2),
                layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x),
            ]
        x = layers.Concatenate(name=f"{name}_concat")(branches)
    x = layers.GlobalAveragePooling2D(name="mean_pool")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    return keras.Model(
        images, logits, name="small_inception" if batch_norm else "small_inception_no_batch_norm"
    )

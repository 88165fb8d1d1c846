"""Model families: how a builder becomes one, its default regularization, and checks that builders share.

The *default regularization* is the explicit regularization of a model that is trained on true data, where a
configuration leaves it open. The paper trains with each model's default weight decay and prints no coefficient, so a
family takes that of the code in which its network was published, and its docstring names that code.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, Protocol, cast

import gin
import keras

from rethink_keras.errors import UserError

GLOROT = {"glorot_uniform": "uniform", "glorot_normal": "untruncated_normal"}  # as Keras names distributions
SHAPES = ["input_shape", "num_classes"]


@dataclasses.dataclass(frozen=True)
class DefaultRegularization:
    """The explicit regularization of a family, where a configuration leaves it open.

    Attributes:
        weight_decay: Coefficient of the coupled weight decay: the gradient of a decayed kernel w gains
            `weight_decay * w`.
        dropout: Fraction of the units dropped, for families that take a `dropout` argument.
        decayed_layers: Names of the layers whose kernels decay; None for all layers that have a kernel.
    """

    weight_decay: float
    dropout: float = 0.0
    decayed_layers: tuple[str, ...] | None = None


class Family(Protocol):
    """A model builder registered by `family`."""

    default_regularization: DefaultRegularization
    __name__: str

    def __call__(self, input_shape: tuple[int, int, int], num_classes: int, **options: Any) -> keras.Model:
        """Returns a new model from images to logits."""


def family(
    *, weight_decay: float, dropout: float = 0.0, decayed_layers: tuple[str, ...] | None = None
) -> Callable[[Callable[..., keras.Model]], Family]:
    """Registers a model builder with gin and records its default regularization.

        @family(weight_decay=1e-4)
        def my_network(input_shape, num_classes, *, width: int = 64, dropout: float = 0.0) -> keras.Model: ...

    Afterwards `train.model = @my_network` chooses it, and `my_network.width` is bound in gin. gin cannot bind
    `input_shape` and `num_classes`, which come from the data, nor `dropout`: like weight decay, it is configured for
    all families alike by `regularization.dropout`.

    Args:
        weight_decay: Default coefficient of the coupled weight decay.
        dropout: Default fraction of dropped units.
        decayed_layers: Names of the layers that decay by default; None for all layers with a kernel.

    Returns:
        A decorator. It returns the builder wrapped by gin, with an attribute `default_regularization`.

    Raises:
        TypeError: The builder takes other arguments than `(input_shape, num_classes, *, option=default, ...)`, or
            has a default dropout without an argument `dropout`.
    """
    default = DefaultRegularization(weight_decay=weight_decay, dropout=dropout, decayed_layers=decayed_layers)

    def register(build: Callable[..., keras.Model]) -> Family:
        options = _check_signature(build)
        if dropout and "dropout" not in options:
            raise TypeError(f"{build.__name__} has a default dropout and takes no argument `dropout`.")
        cast(Any, build).default_regularization = default
        fixed = SHAPES + [name for name in options if name == "dropout"]
        # gin's wrapper is made with functools.wraps, which keeps the attribute and the signature.
        return cast(Family, gin.configurable(build, denylist=fixed))

    return register


def _check_signature(build: Callable[..., keras.Model]) -> list[str]:
    """Returns the names of a builder's options; raises TypeError for a signature that is not a family's."""
    parameters = list(inspect.signature(build).parameters.values())
    shapes, options = parameters[: len(SHAPES)], parameters[len(SHAPES) :]
    if [p.name for p in shapes] != SHAPES or not all(
        p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in options
    ):
        raise TypeError(
            f"{build.__name__} takes {inspect.signature(build)}. A model family takes "
            "(input_shape, num_classes, *, option=default, ...)."
        )
    return [p.name for p in options]


def check_shapes(
    name: str, input_shape: tuple[int, int, int], num_classes: int, *, smallest_side: int = 1
) -> None:
    """Checks that a family can be built for images of this shape and this number of classes.

    Args:
        name: Name of the family, for the message.
        input_shape: Shape of one image, `[height, width, channels]`.
        num_classes: Number of logits.
        smallest_side: Smallest height and width in pixels that the family works for.

    Raises:
        UserError: The shape is not three positive integers, a side is too small, or there is no class.
    """
    shape = tuple(input_shape)
    if len(shape) != 3 or not all(isinstance(side, int) and side > 0 for side in shape):
        raise UserError(
            f"{name} needs images of a fixed height, width and number of channels, not of shape {shape}. "
            "Give three positive integers, for example (28, 28, 3)."
        )
    height, width, _ = shape
    if min(height, width) < smallest_side:
        raise UserError(
            f"{name} needs images of at least {smallest_side}x{smallest_side} pixels and was given "
            f"{height}x{width}. Use larger images or another model."
        )
    if num_classes < 1:
        raise UserError(f"{name} needs at least one class and was given num_classes = {num_classes}.")


def glorot(name: str, gain: float = 1.0) -> keras.initializers.Initializer:
    """Returns an initializer of variance `gain ** 2 * 2 / (inputs + outputs)` (Glorot and Bengio 2010).

    Args:
        name: One of `GLOROT`. Keras's own `glorot_normal` is truncated; this one is not.
        gain: Factor on the initial weights.
    """
    return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution=GLOROT[name])

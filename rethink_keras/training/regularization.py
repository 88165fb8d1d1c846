"""Explicit regularization: weight decay, dropout, augmentation, and the defaults of what is not configured.

The paper switches all of it off under a randomization (section 2.2). A configuration can still request a part of it.
So is a data set without published defaults: any other one of TFDS, and the user's arrays.
Whether a run counts as randomized follows from the kinds that its configuration requests, not from a probability: all
levels of corruption of one experiment, 0 included, have the same defaults.
"""

from __future__ import annotations

import dataclasses

import gin

from rethink_keras.data.augmentation import NO_AUGMENTATION, Augmentation
from rethink_keras.data.randomization import Randomization
from rethink_keras.models.family import DefaultRegularization
from rethink_keras.models.weight_decay import ALL, KERNELS, PARAMETERS
from rethink_keras.validation import check_choice, check_fraction, check_number

DEFAULT = "default"
OLD_DEFAULT = "customary"  # the word for it in configurations of earlier versions
_DEFAULT_AUGMENTATION = {
    "cifar10": Augmentation(random_crop=True),
    "cifar100": Augmentation(random_crop=True),
    "imagenet2012": Augmentation(random_crop=True, flip=True, color_distortion=True),
}


@gin.configurable("regularization")
@dataclasses.dataclass(frozen=True)
class Regularization:
    """Weight decay and dropout as configured. None is resolved by `resolve`.

    Attributes:
        weight_decay: Coefficient, for every layer; or 'default' for the network's default coefficient on the layers
            that it is meant for; 0 for none. It is coupled into the gradient: an L2 penalty with half the coefficient.
        dropout: Rate, or 'default' for the network's default; 0 for none.
        decay: The parameters of the decayed layers that decay: 'kernels', or 'all' for biases and batch
            normalization's scale and offset too, as in the companion code.
    """

    weight_decay: float | str | None = None
    dropout: float | str | None = None
    decay: str = KERNELS

    def __post_init__(self):
        if self.weight_decay not in (None, DEFAULT, OLD_DEFAULT):
            check_number("regularization.weight_decay", self.weight_decay, 0, 1e6)
        if self.dropout not in (None, DEFAULT, OLD_DEFAULT):
            check_fraction("regularization.dropout", self.dropout)
        check_choice("regularization.decay", self.decay, PARAMETERS)


@dataclasses.dataclass(frozen=True)
class ResolvedRegularization:
    """The regularization of a run.

    Attributes:
        weight_decay: Coefficient.
        decayed_layers: Names of the layers that decay; None is every layer.
        decay: The parameters of these layers that decay, see `Regularization`.
        dropout: Rate.
        augmentation: No part of it is None.
        log: These values and where they come from, in words.
    """

    weight_decay: float
    decayed_layers: tuple[str, ...] | None
    decay: str
    dropout: float
    augmentation: Augmentation
    log: str

    @property
    def explicit(self) -> bool:
        """Whether any explicit regularization is in force."""
        return bool(self.weight_decay or self.dropout or self.augmentation.in_force)


def resolve(
    requested: Regularization,
    augmentation: Augmentation,
    *,
    randomization: Randomization,
    default: DefaultRegularization,
    dataset: str,
    can_crop: bool,
    has_defaults: bool = True,
) -> ResolvedRegularization:
    """Resolves what is not configured: to the defaults with true data, to nothing under a randomization.

    Args:
        requested: Weight decay and dropout as configured.
        augmentation: As configured.
        randomization: The run's randomization.
        default: The network's default weight decay and dropout.
        dataset: Name of the data set, which has a default augmentation.
        can_crop: Whether the network's input is smaller than the images, so that they can be cropped at random.
        has_defaults: Whether the data set has defaults, see `Source.regularized_by_default`. Without them, nothing is
            the default.
    """
    off = randomization.requested or not has_defaults
    weight_decay = _resolved(requested.weight_decay, default.weight_decay, off)
    dropout = _resolved(requested.dropout, default.dropout, off)
    is_default = requested.weight_decay in (None, DEFAULT, OLD_DEFAULT)
    layers = default.decayed_layers if is_default else None
    resolved = _resolved_augmentation(augmentation, off, dataset, can_crop)
    decay = f"weight decay {weight_decay:g}"
    if weight_decay:
        decay += f" on {_decayed_parameters(requested.decay, layers)}"
    log = f"{decay}, dropout {dropout:g}, augmentation {resolved.describe()}"
    if missing := _not_configured(requested, augmentation):
        reason = "defaults of the model and the data set"
        if off:
            reason = "off under a randomization" if randomization.requested else f"{dataset} has no defaults"
        log += f" ({_listed(missing)} not configured: {reason})"
    return ResolvedRegularization(weight_decay, layers, requested.decay, dropout, resolved, log)


def _resolved(requested: float | str | None, default: float, off: bool) -> float:
    if requested is None:
        requested = 0.0 if off else DEFAULT
    return float(default if requested in (DEFAULT, OLD_DEFAULT) else requested)


def _resolved_augmentation(requested: Augmentation, off: bool, dataset: str, can_crop: bool) -> Augmentation:
    default = NO_AUGMENTATION if off else _DEFAULT_AUGMENTATION.get(dataset, NO_AUGMENTATION)
    if not can_crop and default.random_crop:
        default = dataclasses.replace(default, random_crop=False)
    parts = {}
    for field in dataclasses.fields(Augmentation):
        values = (getattr(how, field.name) for how in (requested, default, NO_AUGMENTATION))
        parts[field.name] = next(value for value in values if value is not None)
    return Augmentation(**parts)


def _not_configured(requested: Regularization, augmentation: Augmentation) -> list[str]:
    """Returns what the configuration leaves out, in words."""
    parts = {"weight decay": requested.weight_decay, "dropout": requested.dropout}
    names = [name for name, value in parts.items() if value is None]
    if all(value is None for value in dataclasses.astuple(augmentation)):
        names.append("augmentation")
    return names


def _decayed_parameters(decay: str, layers: tuple[str, ...] | None) -> str:
    """Returns the parameters that decay in words, such as 'the kernels of hidden_1 and hidden_2'."""
    parameters = "all parameters" if decay == ALL else "the kernels"
    return f"{parameters} of {_listed(list(layers)) if layers else 'all layers'}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]

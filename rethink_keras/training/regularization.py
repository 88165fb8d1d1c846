"""Explicit regularization: weight decay, dropout, augmentation, and the defaults of what is not configured.

Section 2.2 of the paper switches all of it off under a randomization; a configuration that asks for a part
still gets it. Whether a run counts as randomized follows from what its configuration requests, not from a
probability: all levels of corruption of one experiment, 0 included, have the same defaults.
"""

from __future__ import annotations

import dataclasses

import gin

from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.randomization import Randomization
from rethink_keras.models.family import DefaultRegularization
from rethink_keras.models.weight_decay import ALL, KERNELS, PARAMETERS
from rethink_keras.validation import check_choice, check_fraction, check_number

DEFAULT = "default"
OLD_DEFAULT = "customary"  # how earlier configurations write it
_OFF = Augmentation(False, 0, False, 0.0, False)
_CUSTOMARY_AUGMENTATION = {
    "cifar10": Augmentation(random_crop=True),
    "cifar100": Augmentation(random_crop=True),
    "imagenet2012": Augmentation(random_crop=True, flip=True, color_distortion=True),
}


@gin.configurable("regularization")
@dataclasses.dataclass(frozen=True)
class Regularization:
    """What a configuration asks for. None says nothing, and `settle` decides.

    Attributes:
        weight_decay: coefficient, for every layer; or 'default' for the model's default coefficient on the
            layers that it is meant for; 0 for none. It is coupled into the gradient, an L2 penalty with half
            the coefficient.
        dropout: rate, or 'default' for the model's default; 0 for none.
        decay: which parameters of the decayed layers decay: 'kernels', or 'all' for biases and batch
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
    """What holds in a run.

    Attributes:
        weight_decay: coefficient.
        decayed_layers: names of the layers that decay; None is every layer.
        decay: which of their parameters, see `Asked`.
        dropout: rate.
        augmentation: no part of it None.
        log: a line for the user that says what holds and why.
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


def settle(
    requested: Regularization,
    augmentation: Augmentation,
    *,
    randomization: Randomization,
    default_regularization: DefaultRegularization,
    dataset: str,
    can_crop: bool,
) -> ResolvedRegularization:
    """Resolves what is not configured: the defaults with true data, nothing under a randomization.

    Args:
        requested: weight decay and dropout as configured.
        augmentation: as configured.
        randomization: of the run.
        default_regularization: the model's default weight decay and dropout.
        dataset: name, whose default augmentation it is.
        can_crop: the network's input is smaller than the image, so that a random crop has room.
    """
    randomized = randomization.requested

    def decide(value, custom):
        if value in (DEFAULT, OLD_DEFAULT):
            return custom
        if value is not None:
            return value
        return 0.0 if randomized else custom

    usual = _OFF if randomized else _CUSTOMARY_AUGMENTATION.get(dataset, _OFF)
    if not can_crop and usual.random_crop:
        usual = dataclasses.replace(usual, random_crop=False)
    parts = {}
    for field in dataclasses.fields(Augmentation):
        said, otherwise = getattr(augmentation, field.name), getattr(usual, field.name)
        parts[field.name] = said if said is not None else otherwise or getattr(_OFF, field.name)
    settled = Augmentation(**parts)
    weight_decay = float(decide(requested.weight_decay, default_regularization.weight_decay))
    is_default = requested.weight_decay in (None, DEFAULT, OLD_DEFAULT)
    decayed_layers = default_regularization.decayed_layers if is_default else None
    dropout = float(decide(requested.dropout, default_regularization.dropout))
    unsaid = [
        name
        for name, value in (("weight decay", requested.weight_decay), ("dropout", requested.dropout))
        if value is None
    ]
    if all(getattr(augmentation, field.name) is None for field in dataclasses.fields(Augmentation)):
        unsaid.append("augmentation")
    decay = f"weight decay {weight_decay:g}"
    if weight_decay:
        decay += f" on {_decayed(requested.decay, decayed_layers)}"
    log = f"Regularization: {decay}, dropout {dropout:g}, augmentation {settled.describe()}"
    if unsaid:
        reason = "off under a randomization" if randomized else "defaults of the model and the data set"
        log += f" ({_listed(unsaid)} not configured: {reason})"
    return ResolvedRegularization(weight_decay, decayed_layers, requested.decay, dropout, settled, log + ".")


def _decayed(decay: str, layers: tuple[str, ...] | None) -> str:
    """The parameters that decay, in words, such as 'the kernels of hidden_1 and hidden_2'."""
    parameters = "all parameters" if decay == ALL else "the kernels"
    return f"{parameters} of {_listed(list(layers)) if layers else 'all layers'}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]

"""Explicit regularization: weight decay, dropout, augmentation, and what holds when nothing is said.

Section 2.2 of the paper switches all of it off under a randomization; a configuration that asks for a part
still gets it.
"""

from __future__ import annotations

import dataclasses

import gin

from rethink_keras.checks import check_number
from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.randomization import Randomization
from rethink_keras.models.family import Customary

CUSTOMARY = "customary"
_OFF = Augmentation(False, 0, False, 0.0, False)
_CUSTOMARY_AUGMENTATION = {
    "cifar10": Augmentation(random_crop=True),
    "cifar100": Augmentation(random_crop=True),
    "imagenet2012": Augmentation(random_crop=True, flip=True, color_distortion=True),
}


@gin.configurable("regularization")
@dataclasses.dataclass(frozen=True)
class Asked:
    """What a configuration asks for. None says nothing, and `settle` decides.

    Attributes:
        weight_decay: coefficient, or 'customary' for the model's own; 0 for none. It is coupled into the
            gradient, an L2 penalty with half the coefficient on kernels.
        dropout: rate, or 'customary' for the model's own; 0 for none.
    """

    weight_decay: float | str | None = None
    dropout: float | str | None = None

    def __post_init__(self):
        for name, most in (("weight_decay", 1e6), ("dropout", 0.999)):
            if getattr(self, name) not in (None, CUSTOMARY):
                check_number(f"regularization.{name}", getattr(self, name), 0, most)


@dataclasses.dataclass(frozen=True)
class Settled:
    """What holds in a run.

    Attributes:
        weight_decay: coefficient.
        decayed_layers: names of the layers that decay; None is every layer with a kernel.
        dropout: rate.
        augmentation: no part of it None.
        log: a line for the user that says what holds and why.
    """

    weight_decay: float
    decayed_layers: tuple[str, ...] | None
    dropout: float
    augmentation: Augmentation
    log: str

    @property
    def explicit(self) -> bool:
        """Whether any explicit regularization is in force."""
        return bool(self.weight_decay or self.dropout or self.augmentation.in_force)


def settle(
    asked: Asked,
    augmentation: Augmentation,
    *,
    randomization: Randomization,
    customary: Customary,
    dataset: str,
    can_crop: bool,
) -> Settled:
    """Decides what was left unsaid: the customary with true data, nothing under a randomization.

    Args:
        asked: weight decay and dropout as configured.
        augmentation: as configured.
        randomization: of the run.
        customary: the model's own weight decay and dropout.
        dataset: name, whose customary augmentation it is.
        can_crop: the network's input is smaller than the image, so that a random crop has room.
    """
    randomized = randomization.in_force

    def decide(value, custom):
        if value == CUSTOMARY:
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
    weight_decay = float(decide(asked.weight_decay, customary.weight_decay))
    dropout = float(decide(asked.dropout, customary.dropout))
    unsaid = [
        name
        for name, value in (("weight decay", asked.weight_decay), ("dropout", asked.dropout))
        if value is None
    ]
    if all(getattr(augmentation, field.name) is None for field in dataclasses.fields(Augmentation)):
        unsaid.append("augmentation")
    log = f"Regularization: weight decay {weight_decay:g}, dropout {dropout:g}, augmentation {settled.describe()}"
    if unsaid:
        reason = "off under a randomization" if randomized else "the model's and data set's custom"
        log += f" ({_listed(unsaid)} not configured: {reason})"
    return Settled(weight_decay, customary.decayed_layers, dropout, settled, log + ".")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]

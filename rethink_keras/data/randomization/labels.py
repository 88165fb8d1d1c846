"""Which labels are replaced, and by what: the kinds that `randomization.labels` names (section 2.1)."""

from __future__ import annotations

import abc
from typing import ClassVar, NamedTuple

import numpy as np

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.registry import Registry, subclass_of


class DrawnLabels(NamedTuple):
    """Draws for the examples of a split.

    Attributes:
        replaced: bool `[examples]`, whether an example gets the drawn label in place of its own.
        labels: int64 `[examples]` in `range(num_classes)`, read where `replaced` is true.
    """

    replaced: np.ndarray
    labels: np.ndarray


class LabelRandomization(abc.ABC):
    """A kind of label randomization. Register a subclass in `LABEL_RANDOMIZATIONS`.

    Args:
        corruption: `randomization.corruption`, a number in [0, 1] for a kind that takes it, else None.

    Attributes:
        takes_corruption: Whether the kind needs `randomization.corruption`; the others refuse it.
        randomized: Whether explicit regularization is off by default, as in the paper's randomization tests
            (section 2.2).
    """

    takes_corruption: ClassVar[bool] = False
    randomized: ClassVar[bool] = True

    def __init__(self, corruption: float | None):
        self.corruption = corruption

    @property
    @abc.abstractmethod
    def probability(self) -> float:
        """The probability that a label is replaced; with 0, `draw` is not called."""

    @abc.abstractmethod
    def draw(self, ids: np.ndarray, num_classes: int, *, seed: int, is_test: bool) -> DrawnLabels:
        """Draws labels as a pure function of the arguments: what an example gets depends on no other example.

        Args:
            ids: Array of int, `[examples]`.
            num_classes: Number of classes.
            seed: Seed of the randomization.
            is_test: Whether these are test examples, which have the same ids as training examples.
        """

    def describe(self, name: str) -> str:
        """Returns a few words for logs and plots, such as 'random labels'; `name` is the registered one."""
        return f"{name} labels"

    def fingerprint_key(self) -> object:
        """Returns a value whose repr differs between kinds, and between options of a kind, that draw differently."""
        return (type(self).__name__, self.corruption)


LABEL_RANDOMIZATIONS: Registry[type[LabelRandomization]] = Registry(
    "label randomization", subclass_of(LabelRandomization)
)


class UniformLabels(LabelRandomization):
    """Replaces each label independently with `probability` by one drawn uniformly from all classes.

    The drawn label may be the true one again, as in the paper.
    """

    def draw(self, ids: np.ndarray, num_classes: int, *, seed: int, is_test: bool) -> DrawnLabels:
        """Draws labels, see `LabelRandomization.draw`."""
        # Whether and by what are drawn apart, and neither draw depends on the probability. So corruption is
        # nested: an image corrupted at a lower probability is corrupted at every higher one, by the same label.
        words = [
            random_bits.words_by_id(seed, stream, ids, epoch=int(is_test))[:, 0]
            for stream in (Stream.CORRUPTED, Stream.LABEL)
        ]
        replaced = random_bits.uniform(words[0]) < self.probability
        return DrawnLabels(replaced, random_bits.integers(words[1], num_classes))

    def fingerprint_key(self) -> object:
        """Returns the probability, the only option."""
        return float(self.probability)


@LABEL_RANDOMIZATIONS.register("true")
class TrueLabels(UniformLabels):
    """The labels of the data set."""

    randomized = False
    probability = 0.0


@LABEL_RANDOMIZATIONS.register("partially_corrupted")
class PartiallyCorruptedLabels(UniformLabels):
    """Labels of which `randomization.corruption` are replaced, in expectation."""

    takes_corruption = True

    @property
    def probability(self) -> float:
        """The configured corruption."""
        return self.corruption or 0.0

    def describe(self, name: str) -> str:
        """Returns words such as 'labels corrupted with probability 0.5'."""
        return f"labels corrupted with probability {self.probability:g}"


@LABEL_RANDOMIZATIONS.register("random")
class RandomLabels(UniformLabels):
    """Labels that are all replaced: the draws of 'partially_corrupted' with corruption 1."""

    probability = 1.0

"""Label confusion: counts of the classes that a network predicts, and their plots."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import gin
import numpy as np

from rethink_keras import plotting
from rethink_keras.validation import check_int

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED_CLASSES = 12  # up to this number of classes, a plot has their names and the percentages
LEAST_SHARE = 0.05  # a smaller share is shown by its colour alone

_TITLES = {
    "clean": "clean examples by their label",
    "corrupted": "corrupted examples by the label trained",
    "corrupted_by_true_label": "corrupted examples by their true label",
}


@gin.configurable("confusion")
@dataclasses.dataclass(frozen=True)
class ConfusionOptions:
    """When the confusion of a run with corrupted labels is measured, for the writers that show it.

    Attributes:
        every_epochs: Measure after the first epoch, after every n-th, and after the last, of those after which
            the run is evaluated; 0 for never.
        examples: Number of training examples, those with the lowest ids; None takes all.
    """

    every_epochs: int = 10
    examples: int | None = 10_000

    def __post_init__(self):
        check_int("confusion.every_epochs", self.every_epochs, 0)
        if self.examples is not None:
            check_int("confusion.examples", self.examples, 1)

    def due(self, epoch: int, is_last: bool) -> bool:
        """Returns whether to measure after an epoch, counted from 1."""
        every = self.every_epochs
        return bool(every) and (is_last or epoch == 1 or epoch % every == 0)


class Confusion(NamedTuple):
    """Counts of training examples, int64 `[label, prediction]`.

    Attributes:
        clean: Of the examples that keep their label.
        corrupted: Of the examples whose label was drawn at random, by the label they are trained with.
        corrupted_by_true_label: Of the same examples, by their original label.
    """

    clean: np.ndarray
    corrupted: np.ndarray
    corrupted_by_true_label: np.ndarray

    @classmethod
    def counted(cls, predictions, labels, original_labels, corrupted, num_classes: int) -> Confusion:
        """Returns the counts of the predictions for examples; arguments but the last are arrays `[examples]`."""

        def counts(of, chosen):
            pairs = of[chosen] * num_classes + predictions[chosen]
            return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)

        return cls(counts(labels, ~corrupted), counts(labels, corrupted), counts(original_labels, corrupted))

    def kinds(self) -> dict[str, np.ndarray]:
        """Returns the matrices by name, without those that count nothing."""
        return {name: counts for name, counts in self._asdict().items() if counts.sum()}

    def accuracies(self) -> dict[str, float]:
        """Returns the share of examples on each kind's diagonal."""
        return {name: float(np.trace(counts) / counts.sum()) for name, counts in self.kinds().items()}

    def plots(self, class_names: tuple[str, ...], epoch: int) -> dict[str, Figure]:
        """Returns a plot for each kind: the percentages of each label's examples by predicted class."""
        accuracies = self.accuracies()
        return {
            name: _plot(
                counts, class_names, f"{_TITLES[name]}\nepoch {epoch}: {100 * accuracies[name]:.1f} %"
            )
            for name, counts in self.kinds().items()
        }


def _plot(counts: np.ndarray, class_names: tuple[str, ...], title: str) -> Figure:
    figure = plotting.new_figure(4.2, 4.7, layout=None)
    axes = figure.add_axes((0.28, 0.25, 0.7, 0.63))
    figure.suptitle(title, fontsize=12)
    figure.text(0.63, 0.01, "prediction", ha="center", va="bottom", fontsize=12)
    figure.text(0.01, 0.565, "label", ha="left", va="center", rotation=90, fontsize=12)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(class_names) > NAMED_CLASSES:
        return figure
    places = range(len(class_names))
    axes.set_xticks(places, class_names, rotation=60, ha="right", rotation_mode="anchor", fontsize=11)
    axes.set_yticks(places, class_names, fontsize=11)
    for (label, prediction), share in np.ndenumerate(shares):
        if share < LEAST_SHARE:
            continue
        ink = "white" if share > 0.5 else "black"
        axes.text(prediction, label, f"{100 * share:.0f}", ha="center", va="center", fontsize=10, color=ink)
    return figure

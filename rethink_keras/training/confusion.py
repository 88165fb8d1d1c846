"""Which class a network says of examples whose labels were drawn anew, and of the others, as it trains.

Early on a network gives many corrupted examples their true label, which it was never shown; once it has memorized
them it gives the one it was trained on.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

import gin
import keras
import numpy as np

from rethink_keras.data.batches import Batches
from rethink_keras.data.pipeline import Pipeline
from rethink_keras.errors import UserError
from rethink_keras.system.disk_errors import unreadable
from rethink_keras.system.files import write_atomically
from rethink_keras.system.signals import StopRequest
from rethink_keras.training import evaluation
from rethink_keras.validation import check_int

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED_CLASSES = 12  # at most so many have their names and figures in a picture
LEAST_SHARE = 0.05  # of a smaller one the colour alone is shown

_TITLES = {
    "clean": "clean examples by their label",
    "corrupted": "corrupted examples by the label trained",
    "corrupted_by_true_label": "corrupted examples by their true label",
}


class Confusion(NamedTuple):
    """Counts of training examples, int64 `[label, prediction]`.

    Attributes:
        clean: of those whose label was not drawn anew.
        corrupted: of those whose label was, by the label they are trained with.
        corrupted_by_true_label: of the same examples, by the label they had before.
    """

    clean: np.ndarray
    corrupted: np.ndarray
    corrupted_by_true_label: np.ndarray

    @classmethod
    def counted(cls, predictions, labels, original_labels, corrupted, num_classes: int) -> Confusion:
        """Counts the classes predicted for examples; arguments but the last are arrays `[examples]`."""

        def counts(of, chosen):
            pairs = of[chosen] * num_classes + predictions[chosen]
            return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)

        return cls(counts(labels, ~corrupted), counts(labels, corrupted), counts(original_labels, corrupted))

    def kinds(self) -> dict[str, np.ndarray]:
        """The matrices by name, without those that count nothing."""
        return {name: counts for name, counts in self._asdict().items() if counts.sum()}

    def accuracies(self) -> dict[str, float]:
        """The share of examples on each kind's diagonal."""
        return {name: float(np.trace(counts) / counts.sum()) for name, counts in self.kinds().items()}

    def figures(self, class_names: tuple[str, ...], epoch: int) -> dict[str, Figure]:
        """A picture for each kind: of the examples with a label, the percentage that got each prediction."""
        return {
            name: _matrix(counts, class_names, f"{_TITLES[name]}\nepoch {epoch}: {100 * accuracy:.1f} %")
            for (name, counts), accuracy in zip(self.kinds().items(), self.accuracies().values(), strict=True)
        }


@gin.configurable("confusion")
@dataclasses.dataclass(frozen=True)
class ConfusionPolicy:
    """When the confusion of runs with corrupted labels is measured, for those that show it.

    Attributes:
        every_epochs: after the first epoch, after each so-many-th, and after the last, of those after which
            `evaluation` measures; 0 for never.
        examples: of the training set, those with the lowest ids; None takes all.
    """

    every_epochs: int = 10
    examples: int | None = 10_000

    def __post_init__(self):
        check_int("confusion.every_epochs", self.every_epochs, 0)
        if self.examples is not None:
            check_int("confusion.examples", self.examples, 1)

    def due(self, epoch: int, is_last: bool) -> bool:
        """Whether it is measured after an epoch, counted from 1."""
        every = self.every_epochs
        return bool(every) and (is_last or epoch == 1 or epoch % every == 0)


def can_be_measured(batches: Batches) -> TypeGuard[Pipeline]:
    """Whether there are corrupted labels, in memory, and one worker has the whole of each batch."""
    return (
        isinstance(batches, Pipeline) and batches.shard.workers == 1 and bool(batches.split.corrupted.any())
    )


class Confusions:
    """The confusions of one run by epoch, kept in a file so that a run that goes on still has them.

    Args:
        path: the file, JSON; may not be there yet.
        batches: of the training set; see `can_be_measured`.
        policy: when it is measured.
    """

    def __init__(self, path: Path, batches: Pipeline, policy: ConfusionPolicy):
        self._path = path
        self._batches = batches
        self._policy = policy
        self._by_epoch: dict[int, Confusion] = {}

    def restore(self, epochs: int) -> None:
        """Reads what was measured in the finished epochs; later ones will be done again.

        Raises:
            UserError: if the file is damaged.
            DiskError: if it cannot be read.
        """
        if not self._path.exists():
            return
        try:
            for entry in json.loads(self._path.read_text(encoding="utf-8")):
                if entry["epoch"] <= epochs:
                    counts = (np.array(entry[name]) for name in Confusion._fields)
                    self._by_epoch[entry["epoch"]] = Confusion(*counts)
        except OSError as error:
            raise unreadable(self._path, error) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                f"{self._path} is damaged. Remove it: the run resumes, and earlier confusions are not shown."
            ) from error

    def after(self, epoch: int) -> Confusion | None:
        """The confusion after an epoch, if it was measured."""
        return self._by_epoch.get(epoch)

    def measure(
        self, network: keras.Model, batch_size: int, epoch: int, is_last: bool, stop: StopRequest
    ) -> None:
        """Measures, if it is due, on the present weights, and changes nothing of the network.

        Raises:
            Stopped: if a stop is asked for meanwhile.
        """
        if not self._policy.due(epoch, is_last):
            return
        split = self._batches.split
        count = min(self._policy.examples or split.num_examples, split.num_examples)
        predicted = evaluation.predictions(network, self._batches, batch_size, count, stop)
        rows = slice(count)
        self._by_epoch[epoch] = Confusion.counted(
            predicted,
            split.labels[rows],
            split.source.labels[rows],
            split.corrupted[rows],
            split.source.num_classes,
        )
        self._write()

    def _write(self) -> None:
        entries = [
            {"epoch": epoch, **{name: counts.tolist() for name, counts in confusion._asdict().items()}}
            for epoch, confusion in sorted(self._by_epoch.items())
        ]
        write_atomically(self._path, json.dumps(entries).encode())


def _matrix(counts: np.ndarray, class_names: tuple[str, ...], title: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 4.7), dpi=100)
    # A layout that matplotlib finds by itself costs as much as all the drawing.
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

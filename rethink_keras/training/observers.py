"""What looks on while a run trains: TensorBoard and Weights & Biases are told the same things."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rethink_keras import config as configuration
from rethink_keras.data import image_grid
from rethink_keras.data.pipeline import Pipeline
from rethink_keras.training.confusion import Confusion
from rethink_keras.training.state import Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_IMAGES = 8
_ALWAYS = (
    *(f"train.{name}" for name in ("model", "epochs", "batch_size", "learning_rate", "seed")),
    *("dataset.name", "randomization.labels", "randomization.pixels"),
)
_NEVER = ("checkpoints", "confusion", "wandb", "train.tensorboard", "train.wandb")


@dataclasses.dataclass(frozen=True)
class Epoch:
    """A finished epoch.

    Attributes:
        row: of `metrics.csv`.
        confusion: of corrupted and clean examples, where it was measured.
    """

    row: Row
    confusion: Confusion | None = None

    @property
    def number(self) -> int:
        """From 1."""
        return self.row["epoch"]


@dataclasses.dataclass(frozen=True)
class ObservedRun:
    """What observers are told of a run at its beginning.

    Attributes:
        workdir: the run's folder; observers write nowhere else.
        configuration: in gin's words, all that the run uses.
        hyperparameters: by name; numbers, words and truth values.
        facts: what `summary.json` says of the run besides its figures.
        class_names: one for each class.
        first_batch: draws some images of the first batch; None where they are not in memory.
    """

    workdir: Path
    configuration: str
    hyperparameters: dict[str, Any]
    facts: dict[str, Any]
    class_names: tuple[str, ...]
    first_batch: Callable[[], Figure] | None


class Observer(abc.ABC):
    """Looks on, and changes nothing of the run."""

    @abc.abstractmethod
    def begin(self, run: ObservedRun, epochs: Sequence[Epoch]) -> None:
        """Called once before training; `epochs` are those done by earlier calls of a run that goes on.

        Raises:
            UserError: if this cannot be observed.
        """

    @abc.abstractmethod
    def add(self, epoch: Epoch) -> None:
        """Called after each epoch that is measured and saved."""

    @abc.abstractmethod
    def end(self, summary: dict[str, Any]) -> None:
        """Called once, however the run ends, with its summary; an error has ended it if that says 'running'."""


def hyperparameters(settled: dict[str, Any]) -> dict[str, Any]:
    """What makes a run different from another: what is bound, the usual suspects, and what was settled."""
    return {**configuration.operative_values(_ALWAYS, _NEVER), **settled}


def first_batch(batches: Pipeline, batch_size: int) -> Figure:
    """Images of a run's first batch: the originals above, what the network is fed below, not yet augmented."""
    split = batches.split
    rows = batches.order(0)[: min(batch_size, SHOWN_IMAGES)]
    lines = [
        ("original", split.under(image_grid.TRUE).examples(rows)),
        (split.randomization.describe().replace(", ", ",\n"), split.examples(rows)),
    ]
    heading = "First batch; labels in red were drawn anew"
    if batches.augmentation.in_force:
        heading += "; before augmentation"
    return image_grid.grid(lines, split.source.class_names, heading)

"""The classes predicted for examples with corrupted labels, and for the others, as a network trains.

Early in training a network gives many corrupted examples their true label, which it was never trained on. Once it has
memorized them it gives the label that it was trained on.
"""

from __future__ import annotations

import json
from typing import TypeGuard

import numpy as np

from rethink_keras.data.batches import Batches
from rethink_keras.data.pipeline import Pipeline
from rethink_keras.errors import UserError
from rethink_keras.system.disk_errors import unreadable
from rethink_keras.system.files import write_atomically
from rethink_keras.training import evaluation
from rethink_keras.training.evaluators.confusion import Confusion
from rethink_keras.training.evaluators.evaluator import Evaluator
from rethink_keras.training.run import Run
from rethink_keras.workdir.columns import MetricsRow


class LabelConfusion(Evaluator):
    """Measures label confusion as `confusion.*` configures, and keeps it in `confusion.json`.

    The file is written before the checkpoint of the epoch. What is later than the checkpoint of a resumed run is
    dropped and measured again. The confusion is in no row: rows must not depend on the writers that show it.

    Args:
        run: The run; see `can_be_measured`.

    Raises:
        UserError: The file of a resumed run is damaged.
        DiskError: It cannot be read.
    """

    def __init__(self, run: Run):
        super().__init__(run)
        self._by_epoch: dict[int, Confusion] = {}
        self._restore()

    def after(self, epoch: int) -> Confusion | None:
        """Returns the confusion after an epoch, counted from 1, if it was measured."""
        return self._by_epoch.get(epoch)

    def evaluate(self, row: MetricsRow) -> dict[str, float]:
        """Measures the confusion if it is due. It adds no columns."""
        run, options = self.run, self.run.config.confusion
        if not options.due(row["epoch"], run.ends_after(row)):
            return {}
        assert isinstance(run.train, Pipeline)
        split = run.train.split
        count = min(options.examples or split.num_examples, split.num_examples)
        size = run.evaluation_batch_size
        predicted = evaluation.predictions(run.network, run.train, size, count, run.stop)
        labels = split.labels[:count], split.original_labels[:count], split.corrupted[:count]
        self._by_epoch[row["epoch"]] = Confusion.counted(predicted, *labels, split.source.num_classes)
        self._write()
        return {}

    def _restore(self) -> None:
        path = self.run.folder.confusion
        if not path.exists():
            return
        try:
            for entry in json.loads(path.read_text(encoding="utf-8")):
                if entry["epoch"] <= self.run.state.epoch:
                    counts = (np.array(entry[name]) for name in Confusion._fields)
                    self._by_epoch[entry["epoch"]] = Confusion(*counts)
        except OSError as error:
            raise unreadable(path, error) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                f"{path} is damaged. Remove it: the run resumes, and earlier confusions are not shown."
            ) from error

    def _write(self) -> None:
        entries = [
            {"epoch": epoch, **{name: counts.tolist() for name, counts in confusion._asdict().items()}}
            for epoch, confusion in sorted(self._by_epoch.items())
        ]
        write_atomically(self.run.folder.confusion, json.dumps(entries).encode())


def can_be_measured(batches: Batches) -> TypeGuard[Pipeline]:
    """Returns whether there are corrupted labels, in memory, and one worker has the whole of each batch."""
    return (
        isinstance(batches, Pipeline) and batches.shard.workers == 1 and bool(batches.split.corrupted.any())
    )

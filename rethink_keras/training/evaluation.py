"""What is measured after each epoch: loss and accuracies over whole sets, on fixed weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import gin
import keras
import numpy as np
import tensorflow as tf

from rethink_keras.data.batches import Batches
from rethink_keras.errors import UserError
from rethink_keras.models.operations import multiply_adds
from rethink_keras.system.signals import Stopped, StopRequest
from rethink_keras.training.accuracy import Accuracy
from rethink_keras.training.distribution.devices import ONE_PROCESSOR, Devices
from rethink_keras.training.evaluators import EVALUATORS
from rethink_keras.training.steps import InMemoryNetwork
from rethink_keras.validation import check_choice, check_int, check_number, check_positive_fraction
from rethink_keras.workdir.columns import MetricsRow

TRAIN_METRICS = ("fixed_weights", "running_average")
MOVING_AVERAGES, RECOMPUTED = BATCH_NORM = ("moving_averages", "recomputed")
BATCH_OPERATIONS = 40e9  # multiply-adds of an evaluated batch: some tenths of a second on two cores
LARGEST_BATCH, LARGEST_GPU_BATCH = 1000, 4000  # examples; more would gain nothing and take memory
TOP_5 = "top5_accuracy"
STOP_WHEN = ("never", "fit_loss", "fit_accuracy")


@gin.configurable("evaluation")
@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How the columns of `metrics.csv` are measured.

    Attributes:
        train_metrics: 'fixed_weights': `train_loss` and `train_accuracy` over the whole, unaugmented training
            set after the epoch (the companion code's habit); 'running_average': over the epoch while weights
            change, on augmented images, which saves a forward pass. The column `train_metrics` has this value.
        batch_norm: Statistics of batch normalization in every evaluation and in `model.keras`. 'moving_averages': those
            that training keeps, which lag behind the weights; 'recomputed': the mean moments of training batches on
            the present weights, see `BatchStatistics`. Training does not depend on it. The column `batch_norm` has this
            value, or 'none' for a network without batch normalization, for which nothing is recomputed.
        batch_norm_batches: Number of training batches for 'recomputed'; a smaller training set gives all of its
            whole batches.
        batch_size: Examples evaluated at a time; 'auto' goes by the network's operations.
        every_epochs: Evaluate after every n-th epoch, and after the last. `metrics.csv` has no row of the others, and
            their seconds count in the next row.
        fit_loss: `epochs_to_fit` is the first epoch whose train_loss is at most this. The paper defines
            none; 0.05 suits its figures 1a and 1b for small Inception.
        fit_accuracy: `epochs_to_accuracy` is the first epoch whose train_accuracy, a fraction, is at least this.
        stop_when: 'never', 'fit_loss' or 'fit_accuracy': ends the run after that epoch. Test accuracy never
            ends a run.
        top5: Also measure whether the label is among the five likeliest classes, as in Table 2: columns
            `train_top5_accuracy` and `test_top5_accuracy`.
        evaluators: Names of further evaluators, see `evaluators.Evaluator`, whose values become columns.
    """

    train_metrics: str = "fixed_weights"
    batch_norm: str = MOVING_AVERAGES
    batch_norm_batches: int = 60
    batch_size: int | str = "auto"
    every_epochs: int = 1
    fit_loss: float = 0.05
    fit_accuracy: float = 0.999
    stop_when: str = "never"
    top5: bool = False
    evaluators: Sequence[str] = ()

    def __post_init__(self):
        check_choice("evaluation.train_metrics", self.train_metrics, TRAIN_METRICS)
        check_choice("evaluation.batch_norm", self.batch_norm, BATCH_NORM)
        check_int("evaluation.batch_norm_batches", self.batch_norm_batches, 1, 1_000_000)
        check_choice("evaluation.stop_when", self.stop_when, STOP_WHEN)
        check_int("evaluation.every_epochs", self.every_epochs, 1)
        if self.batch_size != "auto":
            check_int("evaluation.batch_size", self.batch_size, 1)
        check_number("evaluation.fit_loss", self.fit_loss, 0, 1e30)
        check_positive_fraction("evaluation.fit_accuracy", self.fit_accuracy)
        for name in self.evaluators:
            EVALUATORS.find("evaluation.evaluators", name)

    def metrics(self, num_classes: int) -> list[keras.metrics.Metric]:
        """Returns the metrics to compile a network with.

        Raises:
            UserError: There are at most five classes, and the five likeliest are requested.
        """
        metrics: list[keras.metrics.Metric] = [Accuracy()]
        if self.top5:
            if num_classes <= 5:
                raise UserError(
                    f"evaluation.top5 is always true of {num_classes} classes. Leave it out, or take a set with more."
                )
            metrics.append(keras.metrics.SparseTopKCategoricalAccuracy(k=5, name=TOP_5))
        return metrics

    def batch_size_for(
        self, network: keras.Model, splits: Sequence[Batches], devices: Devices = ONE_PROCESSOR
    ) -> int:
        """Returns the number of examples evaluated at a time.

        Args:
            network: Built.
            splits: What is evaluated. Each replica needs an example of every batch, also of the last one: a mean over
                none is not a number.
            devices: What computes.

        Returns:
            For 'auto' between 10 and 1,000 for each replica that is a processor, and for each GPU up to 4,000.

        Raises:
            UserError: The configured number leaves a replica without an example.
        """
        if isinstance(self.batch_size, int):
            if (short := _shortest_batch(self.batch_size, splits)) < devices.replicas:
                raise UserError(
                    f"With evaluation.batch_size = {self.batch_size}, a last batch has {short} examples: too few for "
                    f"{devices.replicas} replicas. Set another evaluation.batch_size, or leave it out."
                )
            return self.batch_size
        operations = max(multiply_adds(network), 1)
        most = LARGEST_BATCH if devices.speed == 1 else LARGEST_GPU_BATCH
        largest = int(np.clip(BATCH_OPERATIONS * devices.speed // operations, 10, most)) * devices.replicas
        for batch_size in range(largest, devices.replicas - 1, -1):
            if _shortest_batch(batch_size, splits) >= devices.replicas:
                return batch_size
        fewest = min(split.num_examples for split in splits)
        raise UserError(
            f"{fewest} examples are too few to be evaluated on {devices.replicas} replicas. Take more examples, or set "
            "train.strategy = 'none'."
        )

    def due(self, epoch: int, epochs: int) -> bool:
        """Returns whether to evaluate after an epoch, counted from 1, of `epochs`."""
        return epoch % self.every_epochs == 0 or epoch == epochs

    def fitted(self, row: MetricsRow) -> bool:
        """Returns whether a row's training loss is low enough for `epochs_to_fit`."""
        return row["train_loss"] <= self.fit_loss

    def accurate(self, row: MetricsRow) -> bool:
        """Returns whether a row's training accuracy is high enough for `epochs_to_accuracy`."""
        return row["train_accuracy"] >= self.fit_accuracy

    def stops_after(self, row: MetricsRow) -> bool:
        """Returns whether `stop_when` ends the run with this row."""
        reached = {"never": False, "fit_loss": self.fitted(row), "fit_accuracy": self.accurate(row)}
        return reached[self.stop_when]


def _shortest_batch(batch_size: int, splits: Sequence[Batches]) -> int:
    """Returns the number of examples of the shortest batch of several splits."""
    sizes = [(split.num_examples, min(batch_size, split.num_examples)) for split in splits]
    return min(examples % size or size for examples, size in sizes)


def readings(network: keras.Model, batches: Batches, batch_size: int) -> tf.data.Dataset:
    """Returns what a network's `evaluate` and `predict` read of a split.

    Args:
        network: An `InMemoryNetwork` gathers the splits that it has itself; all other networks read batches.
        batches: Of the split.
        batch_size: Examples of every batch but the last.
    """
    if isinstance(network, InMemoryNetwork) and network.has(batches):
        return network.row_ranges(batches, batch_size)
    return batches.evaluation_batches(batch_size)


def evaluate(
    network: keras.Model,
    batches: Batches,
    batch_size: int,
    stop: StopRequest,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, float]:
    """Returns the metrics of a whole split, see `named_metrics`.

    Args:
        network: Compiled with the metrics.
        batches: Of the split.
        batch_size: Examples of every batch but the last.
        stop: Ends the evaluation.
        callbacks: Further callbacks of Keras's `evaluate`.

    Raises:
        Stopped: A stop was requested meanwhile.
    """
    of_split = readings(network, batches, batch_size)
    logs = network.evaluate(of_split, verbose=0, return_dict=True, callbacks=[*callbacks, _RaiseOnStop(stop)])
    return named_metrics(logs)


def predictions(
    network: keras.Model, batches: Batches, batch_size: int, examples: int, stop: StopRequest
) -> np.ndarray:
    """Returns the likeliest classes, int64 `[examples]`, of the first examples of a split.

    Raises:
        Stopped: A stop was requested meanwhile.
    """
    size = min(batch_size, batches.num_examples)
    first = readings(network, batches, size).take(-(-examples // size))
    logits = network.predict(first, verbose=0, callbacks=[_RaiseOnStop(stop)])
    return logits[:examples].argmax(axis=-1)


def named_metrics(logs: dict[str, float]) -> dict[str, float]:
    """Returns `loss` without penalties, `accuracy` and, if measured, `top5_accuracy` from Keras's logs."""
    accuracies = {name: logs[name] for name in ("accuracy", TOP_5) if name in logs}
    return {"loss": cross_entropy(logs), **accuracies}


def cross_entropy(logs: dict[str, float]) -> float:
    """Returns the cross-entropy from Keras's logs, whose 'loss' contains the penalty of weight decay."""
    return float(logs.get("cross_entropy", logs["loss"]))


def penalty(network: keras.Model) -> float:
    """Returns the sum of the weight penalties at the present weights; 0 without weight decay."""
    return float(np.sum([np.asarray(loss) for loss in network.losses])) if network.losses else 0.0


class _RaiseOnStop(keras.callbacks.Callback):
    def __init__(self, stop: StopRequest):
        super().__init__()
        self._stop = stop

    def on_test_batch_end(self, batch, logs=None):
        if self._stop:
            raise Stopped

    on_predict_batch_end = on_test_batch_end

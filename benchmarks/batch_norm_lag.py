"""Test accuracy of small Inception with moving averages of several momenta, and with recomputed statistics.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.batch_norm_lag --epochs=12 --train_examples=10000

One network is trained on CIFAR-10 by `gin/table1_inception.gin`: true labels, the paper's recipe. The momentum does not
change training. Therefore one run serves all momenta: the moments of each batch follow from the moving averages before
and after its step, and the benchmark averages them with each momentum. After each epoch it measures accuracy on all
test images with each of these averages, then with the statistics of `BatchStatistics`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from rethink_keras import config as gin_config
from rethink_keras.system.signals import StopRequest
from rethink_keras.training import data, evaluation
from rethink_keras.training.batch_statistics import BatchStatistics
from rethink_keras.training.callbacks.epoch_order import EpochOrder
from rethink_keras.training.config import RunConfig
from rethink_keras.training.network import build_network

ROOT = Path(__file__).parents[1]
BATCHES = 60  # of the recomputed statistics


class MovingAverages(keras.callbacks.Callback):
    """Averages the moments of all batches with several momenta.

    Args:
        network: A network in training, one step for each of Keras's batches; its own averages are the source.
        momenta: Momenta of the averages.
    """

    def __init__(self, network: keras.Model, momenta: Sequence[float]):
        super().__init__()
        self._own = [
            (layer.momentum, variable)
            for layer in network.layers
            if isinstance(layer, keras.layers.BatchNormalization)
            for variable in (layer.moving_mean, layer.moving_variance)
        ]
        self._before = self.values()
        self._averages = dict.fromkeys(momenta, self._before)

    def values(self) -> list[np.ndarray]:
        """Returns the network's own moving averages."""
        return [np.asarray(variable, np.float64) for _, variable in self._own]

    def on_train_batch_end(self, batch, logs=None):
        """Adds the moments of one batch."""
        after = self.values()
        rows = zip(self._own, self._before, after, strict=True)
        moments = [(new - own * old) / (1 - own) for (own, _), old, new in rows]
        for momentum, averages in self._averages.items():
            pairs = zip(averages, moments, strict=True)
            self._averages[momentum] = [momentum * old + (1 - momentum) * new for old, new in pairs]
        self._before = after

    def each(self) -> Iterator[float]:
        """Yields each momentum while its averages are in the network; puts the network's own back at the end."""
        for momentum, averages in self._averages.items():
            self._assign(averages)
            yield momentum
        self._assign(self._before)

    def _assign(self, values: list[np.ndarray]) -> None:
        for (_, variable), value in zip(self._own, values, strict=True):
            variable.assign(np.asarray(value, np.float32))


def accuracies(
    train_examples: int, epochs: int, momenta: Sequence[float], seed: int
) -> Iterator[list[float]]:
    """Trains, and yields after each epoch the test accuracy with each momentum, then with recomputed statistics."""
    bindings = (
        f"dataset.train_examples = {train_examples}",
        f"train.epochs = {epochs}",
        f"train.seed = {seed}",
        "train.steps_per_execution = 1",  # the callback below must see every step
    )
    gin_config.parse([ROOT / "gin" / "table1_inception.gin"], bindings)
    tf.config.experimental.enable_op_determinism()
    config = RunConfig.from_gin()
    run_data, regularization = data.read(config)
    train, test, batch_size = run_data.train, run_data.test, config.train.batch_size
    classes = run_data.splits.train.num_classes
    built = build_network(config, train, num_classes=classes, regularization=regularization)
    network, source = built.network, built.batch_source
    averages = MovingAverages(network, momenta)
    statistics = BatchStatistics(network, train, batch_size, BATCHES)
    size, stop = config.evaluation.batch_size_for(network, (train, test)), StopRequest()

    def accuracy() -> float:
        return evaluation.evaluate(network, test, size, stop)["accuracy"]

    for epoch in range(epochs):
        network.fit(
            source.dataset(0),
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            shuffle=False,
            callbacks=[EpochOrder(train), averages],
        )
        found = [accuracy() for _ in averages.each()]
        with statistics.for_evaluation(stop):
            found.append(accuracy())
        yield found


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_integer("epochs", 12, "To train.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("train_examples", 10_000, "Of CIFAR-10.", lower_bound=128, flag_values=values)
    flags.DEFINE_list("momenta", ["0.9", "0.99"], "Of the moving averages.", flag_values=values)
    flags.DEFINE_integer("seed", 0, "Of the run.", flag_values=values)
    values(sys.argv)
    momenta = [float(text) for text in values.momenta]
    print(f"| epoch | {' | '.join(f'momentum {momentum:g}' for momentum in momenta)} | recomputed |")
    print("|---:" * (len(momenta) + 2) + "|", flush=True)
    by_epoch = accuracies(values.train_examples, values.epochs, momenta, values.seed)
    for epoch, found in enumerate(by_epoch, start=1):
        print(f"| {epoch} | {' | '.join(f'{100 * value:.2f}' for value in found)} |", flush=True)


if __name__ == "__main__":
    main()

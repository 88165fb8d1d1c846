"""Training steps, and what `fit` reads of the training batches: the two kinds that there are.

Data in memory and one device: `InMemoryNetwork`, whose compiled function gathers the batches by itself, and reads which
steps to do. Several replicas, or streamed images: a `keras.Model` as it is, which reads the batches.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from rethink_keras.data.batches import Batches
from rethink_keras.data.dataset_options import options
from rethink_keras.data.pipeline import HOST, Pipeline
from rethink_keras.errors import UserError
from rethink_keras.models.nested import all_layers
from rethink_keras.training.private_apis import is_op_determinism_enabled


@dataclasses.dataclass(frozen=True)
class BatchSource:
    """What a network's `fit` reads in an epoch.

    Attributes:
        dataset: Returns the rest of an epoch, from a step on. `Batches.set_epoch` sets which epoch.
        steps_per_batch: Training steps that `fit` counts as one batch.
    """

    dataset: Callable[[int], tf.data.Dataset]
    steps_per_batch: int


class InMemoryNetwork(keras.Model):
    """A functional model that gathers its batches itself, from data in the memory of the device that computes.

    `fit` passes `train_step` a range of steps in place of a batch (`step_ranges`). The loop over them and the gather of
    each batch from the images in memory are part of the compiled function, so that no image passes through tf.data,
    Python or, on a GPU, the host. Each step is Keras's own `train_step`. `evaluate` and `predict` take ranges of rows
    (`row_ranges`) or, for other data, batches.

    Args:
        network: The functional model, whose layers and name this one has.
        train: The training split, on the device that computes.
        others: Other splits that are evaluated, likewise.
        batch_size: Examples of a step.
        steps_per_execution: Steps of a call.
        compile_steps: Compile each step with XLA. Compile the model itself without: XLA must know the number of
            examples of a batch, which the gather determines only when it runs.
    """

    def __init__(
        self,
        network: keras.Model,
        train: Pipeline,
        others: Sequence[Pipeline] = (),
        *,
        batch_size: int,
        steps_per_execution: int,
        compile_steps: bool,
    ):
        super().__init__(network.input, network.output, name=network.name)
        self._splits = (train, *others)
        self._batch_size = batch_size
        self._steps_per_execution = steps_per_execution
        self._compile_steps = compile_steps

    def step_ranges(self, first_step: int) -> tf.data.Dataset:
        """Returns the rest of an epoch: int32 pairs of the first step of a call and the one after its last."""
        steps = self._splits[0].steps(self._batch_size)
        return _ranges(first_step, steps, self._steps_per_execution)

    def has(self, batches: Batches) -> bool:
        """Returns whether this network gathers the batches of a split itself."""
        return batches in self._splits

    def row_ranges(self, batches: Batches, batch_size: int) -> tf.data.Dataset:
        """Returns what `evaluate` and `predict` read of a split: for each batch a dictionary of int32 numbers.

        Args:
            batches: One of the splits that the network has.
            batch_size: Examples of every batch but the last.
        """
        index = self._splits.index(batches)
        ranges = _ranges(0, batches.num_examples, batch_size)
        return ranges.map(lambda begin, end: {"split": index, "begin": begin, "end": end})

    def train_step(self, data):
        """Does the training steps from `begin` to before `end`, and returns the metrics after them.

        Whole batches and the shorter last one have a loop each: with its shape known to the compiler, a step of MLP
        1x512 takes 3% less. Where a step is so long that a call does only one, this would gain nothing and cost
        seconds to compile.
        """
        begin, end = data
        train = self._splits[0]
        steps = train.steps(self._batch_size)
        whole_steps = train.num_examples // self._batch_size if self._steps_per_execution > 1 else 0
        if whole_steps:
            self._loop(begin, tf.minimum(end, whole_steps), whole=True)
        if whole_steps < steps:
            self._loop(tf.maximum(begin, whole_steps), end, whole=False)
        return self.get_metrics_result()

    def test_step(self, data):
        """Evaluates the rows of a split, or a batch."""
        return super().test_step(self._gathered(data))

    def predict_step(self, data):
        """Returns the logits of the rows of a split, or of a batch."""
        return super().predict_step(self._gathered(data))

    def _gathered(self, data):
        if not isinstance(data, dict):
            return data
        # One function for all splits, so that the network is compiled once.
        gathers = [
            functools.partial(split.evaluation_batch, data["begin"], data["end"]) for split in self._splits
        ]
        return tf.switch_case(data["split"], gathers)

    def _loop(self, begin: tf.Tensor, end: tf.Tensor, *, whole: bool) -> None:
        step_on_batch = super().train_step
        if self._compile_steps:
            step_on_batch = tf.function(step_on_batch, jit_compile=True)

        def body(step):
            step_on_batch(self._splits[0].training_batch(step, self._batch_size, whole=whole))
            return step + 1

        tf.while_loop(lambda step: step < end, body, [begin])


def _ranges(begin: int, end: int, size: int) -> tf.data.Dataset:
    """Returns consecutive int32 pairs (first, one after the last) of `size` numbers; the last may be shorter."""
    with tf.device(HOST):
        begins = tf.data.Dataset.range(begin, end, size, output_type=tf.int32)
        ranges = begins.map(lambda first: (first, tf.minimum(first + size, end)))
        return ranges.with_options(options())


def check_keras_compiles(network: keras.Model, strategy: tf.distribute.Strategy | None) -> None:
    """Checks that Keras compiles the training step with XLA, which it otherwise omits with no more than a warning.

    Raises:
        UserError: It does not.
    """
    if strategy is not None:
        raise UserError(
            "train.jit_compile is for one device, and this run is on several. Leave it out, or set "
            "train.strategy = 'none'."
        )
    if is_op_determinism_enabled():
        raise UserError(
            "Keras does not compile the step with XLA where results must be deterministic, except for data in memory "
            "and one device. Leave train.jit_compile out, or set train.deterministic = False."
        )
    if unsupported := [layer.name for layer in all_layers(network) if not layer.supports_jit]:
        raise UserError(
            f"XLA cannot compile the layer {unsupported[0]} of {network.name}. Leave train.jit_compile out."
        )

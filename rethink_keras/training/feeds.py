"""What `fit` reads: batches, or runs of steps whose batches are gathered inside the compiled step."""

from __future__ import annotations

import abc

import keras
import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled

from rethink_keras.data.batches import Batches
from rethink_keras.data.dataset_options import options
from rethink_keras.data.pipeline import Pipeline
from rethink_keras.errors import UserError
from rethink_keras.models.nested import all_layers


class Feed(abc.ABC):
    """Feeds a network's `fit`.

    Attributes:
        steps_per_batch: training steps that `fit` counts as one batch.
    """

    steps_per_batch: int

    @abc.abstractmethod
    def dataset(self, first_step: int) -> tf.data.Dataset:
        """What `fit` reads of an epoch, from a step on."""


class BatchFeed(Feed):
    """Batches through tf.data, for several devices, GPUs and data that are streamed.

    Args:
        network: compiled.
        batches: of the training split.
        batch_size: examples of a step.
        steps_per_execution: steps that Keras does without coming back to Python.
        jit_compile: compile the step with XLA; refused where that is not possible.

    Raises:
        UserError: Keras does not compile the step with XLA here.
    """

    steps_per_batch = 1

    def __init__(
        self,
        network: keras.Model,
        batches: Batches,
        batch_size: int,
        steps_per_execution: int,
        jit_compile: bool = False,
    ):
        if jit_compile:
            _check_keras_compiles(network)
        network.jit_compile = jit_compile
        network.steps_per_execution = steps_per_execution
        self._batches = batches
        self._batch_size = batch_size

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Images and labels."""
        return self._batches.training_batches(self._batch_size, first_step)


class StepFeed(Feed):
    """Runs of steps, for data in memory: no image passes through tf.data or Python.

    Keras's own `train_step` is called in a loop inside the compiled function, on batches that are gathered there. Where
    steps are short, whole batches and the shorter last one have a loop each: with its shape compiled in, a step of MLP
    1x512 takes 3% less. Long steps gain nothing, and compiling them twice would cost seconds.

    XLA compiles one step, without the gather: the number of examples must be known when it compiles.

    Args:
        network: compiled; its `train_step` is replaced.
        pipeline: of the training split.
        batch_size: examples of a step.
        steps_per_execution: steps of a run.
        jit_compile: compile the step with XLA; refused where that is not possible.
    """

    def __init__(
        self,
        network: keras.Model,
        pipeline: Pipeline,
        batch_size: int,
        steps_per_execution: int,
        jit_compile: bool = False,
    ):
        self.steps_per_batch = steps_per_execution
        self._steps = pipeline.steps(batch_size)
        one_step = tf.function(network.train_step, jit_compile=True) if jit_compile else network.train_step
        whole_steps = pipeline.num_examples // batch_size if steps_per_execution > 1 else 0

        def do_steps(begin, end, whole):
            def body(step):
                one_step(pipeline.training_batch(step, batch_size, whole=whole))
                return step + 1

            tf.while_loop(lambda step: step < end, body, [begin])

        def run_of_steps(bounds):
            begin, end = bounds
            if whole_steps:
                do_steps(begin, tf.minimum(end, whole_steps), whole=True)
            if whole_steps < self._steps:
                do_steps(tf.maximum(begin, whole_steps), end, whole=False)
            return network.get_metrics_result()

        network.jit_compile = False  # of the whole run of steps
        network.train_step = run_of_steps

    def dataset(self, first_step: int) -> tf.data.Dataset:
        """Int32 pairs: the first step of a run and the one after its last."""
        size = self.steps_per_batch
        begins = tf.data.Dataset.range(first_step, self._steps, size, output_type=tf.int32)
        runs = begins.map(lambda begin: (begin, tf.minimum(begin + size, self._steps)))
        return runs.with_options(options())


def choose(
    network: keras.Model,
    batches: Batches,
    batch_size: int,
    steps_per_execution: int,
    strategy: tf.distribute.Strategy | None,
    jit_compile: bool = False,
) -> Feed:
    """The fastest feed that there is for these batches and devices.

    Raises:
        UserError: XLA cannot compile the step for these batches and devices.
    """
    if jit_compile and strategy is not None:
        raise UserError(
            "train.jit_compile is for one device, and this run is on several. Leave it out, or set "
            "train.strategy = 'none'."
        )
    on_this_processor = strategy is None and not tf.config.list_logical_devices("GPU")
    if on_this_processor and isinstance(batches, Pipeline):
        return StepFeed(network, batches, batch_size, steps_per_execution, jit_compile)
    return BatchFeed(network, batches, batch_size, steps_per_execution, jit_compile)


def _check_keras_compiles(network: keras.Model) -> None:
    """Raises UserError where Keras's `fit` would leave XLA out with no more than a warning."""
    if is_op_determinism_enabled():
        raise UserError(
            "Keras does not compile the step with XLA where results must be deterministic, except for data in memory "
            "on a processor. Leave train.jit_compile out, or set train.deterministic = False."
        )
    if unsupported := [layer.name for layer in all_layers(network) if not layer.supports_jit]:
        raise UserError(
            f"XLA cannot compile the layer {unsupported[0]} of {network.name}. Leave train.jit_compile out."
        )

"""The network of a run, built, compiled and paired with what `fit` reads: the same for training and benchmarks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from rethink_keras import config as gin_config
from rethink_keras.data.batches import Batches
from rethink_keras.data.pipeline import Pipeline
from rethink_keras.errors import UserError
from rethink_keras.models.copies import has_batch_norm, replace_batch_norm
from rethink_keras.models.family import Family
from rethink_keras.models.layers.batch_normalization import (
    FusedBatchNormalization,
    SynchronizedBatchNormalization,
)
from rethink_keras.models.operations import training_operations
from rethink_keras.models.precision import dtype_policy
from rethink_keras.models.weight_decay import with_weight_decay
from rethink_keras.training import private_apis
from rethink_keras.training.config import RunConfig, TrainConfig
from rethink_keras.training.distribution.devices import ONE_PROCESSOR, Devices
from rethink_keras.training.optimizers import DataDependent
from rethink_keras.training.regularization import ResolvedRegularization
from rethink_keras.training.schedules import Schedule
from rethink_keras.training.steps import BatchSource, InMemoryNetwork, check_keras_compiles

EXECUTION_OPERATIONS = (
    30e9  # between two checks for signals: tenths of a second on two cores, see `Devices.speed`
)


@dataclasses.dataclass(frozen=True)
class CompiledNetwork:
    """A network that is ready for `fit`.

    Attributes:
        network: The compiled network, with its initial weights.
        metrics: Its metrics, whose running sums belong to the state of a run.
        batch_source: What its `fit` reads.
        learning_rate: The schedule of its optimizer.
    """

    network: keras.Model
    metrics: list[keras.metrics.Metric]
    batch_source: BatchSource
    learning_rate: Schedule


def build_network(
    config: RunConfig,
    batches: Batches,
    *,
    num_classes: int,
    regularization: ResolvedRegularization,
    evaluated: Sequence[Batches] = (),
    devices: Devices = ONE_PROCESSOR,
) -> CompiledNetwork:
    """Builds and compiles the network of a run.

    Args:
        config: Configuration of the run.
        batches: Of the training split.
        num_classes: Number of logits.
        regularization: Dropout and weight decay of the run.
        evaluated: Batches of other splits that the network is evaluated on.
        devices: What computes. Several workers build the network at the same time.

    Raises:
        UserError: The configuration does not fit the network, the devices or this version of Keras.
    """
    private_apis.check_version()
    train, steps = config.train, batches.steps(config.train.batch_size)
    # Initial weights and dropout masks depend on the seed alone, not on what this process did before: Keras draws them
    # from Python's global generator, and so does TFDS for the names of temporary files.
    keras.utils.set_random_seed(train.seed)
    with dtype_policy(train.precision), devices.scope():
        network = _build_layers(train.network, batches.input_shape, num_classes, regularization, devices)
        network, batch_source, execution = _with_training_step(network, batches, evaluated, train, devices)
        rate = train.schedule(initial=train.learning_rate, steps_per_epoch=steps, epochs=train.epochs)
        optimizer = train.optimizer(rate)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        metrics = config.evaluation.metrics(num_classes)
        if regularization.weight_decay:
            # The loss includes the penalty then; the cross-entropy is measured apart.
            metrics.append(
                keras.metrics.SparseCategoricalCrossentropy(name="cross_entropy", from_logits=True)
            )
        network.compile(optimizer=optimizer, loss=loss, metrics=metrics, **execution)
        network.optimizer.build(network.trainable_variables)  # with what mixed precision wraps around it
        if devices.replicas > 1:  # `fit` cannot create them under every strategy
            private_apis.build_metrics_and_loss(network, batches.input_shape)
        if isinstance(optimizer, DataDependent):
            optimizer.adapt(network, batches)
        if train.initialization is not None:
            train.initialization(network, batches)
    # `network.metrics` has the running mean of the loss, which is Keras's own.
    return CompiledNetwork(network, [*network.metrics, *metrics], batch_source, rate)


def _build_layers(
    family: Family,
    input_shape: tuple[int, int, int],
    num_classes: int,
    regularization: ResolvedRegularization,
    devices: Devices,
) -> keras.Model:
    """Returns the functional model, with dropout, weight decay and the batch normalization for these devices."""
    options = {}
    if regularization.dropout:
        if "dropout" not in gin_config.parameters(family):
            raise UserError(
                f"{family.__name__} has no dropout. Leave regularization.dropout out, or take another model."
            )
        options["dropout"] = regularization.dropout
    network = family(input_shape, num_classes, **options)
    if regularization.weight_decay:
        coefficient, layers = regularization.weight_decay, regularization.decayed_layers
        network = with_weight_decay(network, coefficient, layers, parameters=regularization.decay)
    if not has_batch_norm(network):
        return network
    if devices.replicas > 1:  # By the moments of the whole batch, as on one device.
        return replace_batch_norm(network, SynchronizedBatchNormalization, synchronized=True)
    return replace_batch_norm(network, FusedBatchNormalization)


def _with_training_step(
    network: keras.Model,
    batches: Batches,
    evaluated: Sequence[Batches],
    train: TrainConfig,
    devices: Devices,
) -> tuple[keras.Model, BatchSource, dict[str, Any]]:
    """Returns the network with the fastest training step for these batches and devices.

    Returns:
        The network, what its `fit` reads, and arguments of `compile`.
    """
    steps_per_execution = _steps_per_execution(train, network, batches.steps(train.batch_size), devices)
    if devices.strategy is None and isinstance(batches, Pipeline):
        in_memory = InMemoryNetwork(
            network,
            batches,
            [other for other in evaluated if isinstance(other, Pipeline)],
            batch_size=train.batch_size,
            steps_per_execution=steps_per_execution,
            compile_steps=train.jit_compile,
        )
        return in_memory, BatchSource(in_memory.step_ranges, steps_per_execution), {"jit_compile": False}
    if train.jit_compile:
        check_keras_compiles(network, devices.strategy)
    execution = {"jit_compile": train.jit_compile, "steps_per_execution": steps_per_execution}
    read_batches = functools.partial(batches.training_batches, train.batch_size)
    return network, BatchSource(read_batches, steps_per_batch=1), execution


def _steps_per_execution(train: TrainConfig, network: keras.Model, steps: int, devices: Devices) -> int:
    """Returns `train.steps_per_execution`, 'auto' resolved: tenths of a second of work, at most an epoch."""
    requested = train.steps_per_execution
    if devices.strategy is not None:
        if requested not in ("auto", 1):
            raise UserError(
                f"train.steps_per_execution is {requested}, but Keras crashes with more than 1 over several devices. "
                "Leave it out, or set train.strategy = 'none'."
            )
        return 1
    if isinstance(requested, int):
        return requested
    operations = train.batch_size * max(training_operations(network), 1)
    return int(np.clip(EXECUTION_OPERATIONS * devices.speed // operations, 1, steps))

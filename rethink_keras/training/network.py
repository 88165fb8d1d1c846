"""Temporary: the builder of a network."""

from __future__ import annotations

import keras
import numpy as np

from rethink_keras import config as gin_config
from rethink_keras.errors import UserError
from rethink_keras.models.operations import training_operations
from rethink_keras.models.weight_decay import with_weight_decay
from rethink_keras.training import feeds, normalization, whitening

EXECUTION_OPERATIONS = 30e9
BatchSource = feeds.Feed


def build_network(config, data, regularizers, schedule, workers, strategy):
    """Builds."""
    options = config.train
    network, metrics = _build(
        options.network,
        data.train.input_shape,
        data.splits.train.num_classes,
        regularizers,
        options.optimizer(schedule),
        config.evaluation,
    )
    workers.prepare(network, data.train.input_shape)
    normalization.fuse(network)
    whitening.prepare(network, data.train)
    if options.initialization is not None:
        options.initialization(network, data.train)
    steps = data.train.steps(options.batch_size)
    per = _steps_per_execution(options.steps_per_execution, network, options.batch_size, steps, strategy)
    source = feeds.choose(network, data.train, options.batch_size, per, strategy, options.jit_compile)
    return network, metrics, source


def _build(
    builder,
    input_shape: tuple[int, int, int],
    num_classes: int,
    settled,
    optimizer: keras.optimizers.Optimizer,
    evaluation,
) -> tuple[keras.Model, list[keras.metrics.Metric]]:
    """The compiled network and the metrics whose running sums belong to its state."""
    options = {}
    if settled.dropout:
        if "dropout" not in gin_config.parameters(builder):
            raise UserError(
                f"{builder.__name__} has no dropout. Leave regularization.dropout out, or take another model."
            )
        options["dropout"] = settled.dropout
    network = builder(input_shape, num_classes, **options)
    metrics = evaluation.metrics(num_classes)
    if settled.weight_decay:
        layers, parameters = settled.decayed_layers, settled.decay
        network = with_weight_decay(network, settled.weight_decay, layers, parameters=parameters)
        # The loss holds the penalty then; the cross-entropy is measured apart.
        metrics.append(keras.metrics.SparseCategoricalCrossentropy(name="cross_entropy", from_logits=True))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=optimizer, loss=loss, metrics=metrics)
    network.optimizer.build(network.trainable_variables)  # with what mixed precision has wrapped around it
    return network, [*network.metrics, *metrics]  # the running mean of the loss is Keras's own


def _steps_per_execution(asked, network, batch_size: int, steps: int, strategy) -> int:
    if strategy is not None:
        if asked not in ("auto", 1):
            raise UserError(
                f"train.steps_per_execution is {asked}, but Keras crashes with more than 1 over several devices. "
                "Leave it out, or set train.strategy = 'none'."
            )
        return 1
    if asked != "auto":
        return asked
    return steps_an_execution(network, batch_size, steps)


def steps_an_execution(network: keras.Model, batch_size: int, steps: int) -> int:
    """How many steps make some tenths of a second of work, at most all `steps` of an epoch."""
    operations = batch_size * max(training_operations(network), 1)
    return int(np.clip(EXECUTION_OPERATIONS // operations, 1, steps))

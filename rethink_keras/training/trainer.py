"""One training run: data, model, `model.fit`, workdir."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rethink_keras import config as gin_config
from rethink_keras.data.batches import Batches
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.models.family import Family
from rethink_keras.models.operations import training_operations
from rethink_keras.models.weight_decay import with_weight_decay
from rethink_keras.system.signals import stop_request
from rethink_keras.training import (
    feeds,
    normalization,
    observers,
    regularization,
    summary,
    whitening,
)
from rethink_keras.training.config import RunConfig
from rethink_keras.training.distribution import devices
from rethink_keras.training.distribution.workers import connect_workers
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.loop import Loop, Plan, Result
from rethink_keras.training.tensorboard import TensorBoard
from rethink_keras.training.weights_and_biases import WeightsAndBiases
from rethink_keras.validation import check_int
from rethink_keras.workdir.overwriting import check_replaceable
from rethink_keras.workdir.workdir import Workdir

EXECUTION_OPERATIONS = 30e9  # between two looks at signals: some tenths of a second on two cores


def train(
    config: RunConfig,
    *,
    workdir: str | Path,
    overwrite: bool = False,
    pause_after: int | None = None,
) -> Result:
    """Trains one network, or resumes the run in the workdir.

    Args:
        config: of the run.
        workdir: folder of the run.
        overwrite: moves an earlier run in the workdir aside and starts afresh.
        pause_after: saves and returns after so many epochs; a later call resumes. The schedule is that of all.

    Returns:
        The history and the summary.

    Raises:
        UserError: for a configuration or a workdir that cannot be used.
        DataNotAvailableError: if the data set is neither on disk nor to be had.
        DivergedError: if the loss or a weight is not finite.
        StoppedBySignalError: after saving, if SIGINT, SIGTERM or SIGHUP came, to any worker.
        WorkerLostError: if another worker does not answer.
    """
    how = config.train
    if pause_after is not None:
        check_int("--pause_after", pause_after, 1)
    model, seed, batch_size, epochs = how.network, how.seed, how.batch_size, how.epochs
    schedule, optimizer, initialization = how.schedule, how.optimizer, how.initialization
    looking_on: list = [TensorBoard()] if how.tensorboard else []
    looking_on += [WeightsAndBiases(config.wandb)] if config.wandb else []
    workers = connect_workers(how.strategy)
    if how.deterministic:
        tf.config.experimental.enable_op_determinism()
    with contextlib.ExitStack() as held:
        stop = workers.stop_on_all(held.enter_context(stop_request()))
        held.enter_context(devices.precision(how.precision))
        held.enter_context(devices.tensorflow_errors_told())
        with workers.barrier():
            folder = Workdir(workdir, writes=workers.is_chief)
            if overwrite:
                check_replaceable(folder)
            held.enter_context(folder.locked())
            splits = config.splits
            settled = _settle(splits, model, config)
            print(settled.log, flush=True)
            examples = splits.train.num_examples
            if batch_size > examples:
                raise UserError(
                    f"train.batch_size is {batch_size}, but there are {examples} training examples. Set it smaller."
                )
            strategy_object = workers.strategy or devices.choose_strategy(how.strategy)
            devices.check_batch_divides(strategy_object, batch_size, examples)
            train_data = splits.pipeline("train", settled.augmentation, workers.shard)
            test_data = splits.pipeline("test", shard=workers.shard)
        steps = train_data.steps(batch_size)
        workers.check_same(_what_workers_share(splits))
        # Not earlier: TFDS draws random file names when it prepares a data set; weights must not depend on that.
        keras.utils.set_random_seed(seed)
        with strategy_object.scope() if strategy_object else tf.device(None):
            rate = schedule(initial=how.learning_rate, steps_per_epoch=steps, epochs=epochs)
            network, metrics = _build(
                model,
                train_data.input_shape,
                splits.train.num_classes,
                settled,
                optimizer(rate),
                config.evaluation,
            )
            workers.prepare(network, train_data.input_shape)
            normalization.fuse(network)
            whitening.prepare(network, train_data)
            if initialization is not None:
                initialization(network, train_data)
        per_execution = _steps_per_execution(
            how.steps_per_execution, network, batch_size, steps, strategy_object
        )
        feed = feeds.choose(network, train_data, batch_size, per_execution, strategy_object, how.jit_compile)
        plan = Plan(
            network=network,
            metrics=metrics,
            train=train_data,
            feed=feed,
            test=test_data,
            rate=rate,
            epochs=epochs,
            pause_after=min(pause_after or epochs, epochs),
            batch_size=batch_size,
            facts={**_facts(splits, settled, network, train_data, seed), "workers": workers.shard.workers},
            class_names=splits.train.class_names,
            hyperparameters=_hyperparameters(settled, schedule, optimizer),
            observers=looking_on,
            workers=workers,
            config=config,
        )
        return Loop(plan, folder, stop).go(overwrite)


def _what_workers_share(splits: Splits) -> str:
    data = splits.train.fingerprint, splits.test.fingerprint
    return repr((gin_config.resolved(), data, summary.environment()["versions"]))


def _settle(splits: Splits, model: Family, config: RunConfig) -> regularization.ResolvedRegularization:
    return regularization.settle(
        config.regularization,
        config.augmentation,
        randomization=splits.randomization,
        default_regularization=model.default_regularization,
        dataset=splits.dataset.name,
        can_crop=splits.crop_leaves_room,
    )


def _facts(
    splits: Splits,
    settled: regularization.ResolvedRegularization,
    network: keras.Model,
    batches: Batches,
    seed: int,
) -> dict[str, Any]:
    train = splits.train
    return {
        "seed": seed,
        "configuration": gin_config.fingerprint(),
        "model": network.name,
        "dataset": train.name,
        "train_examples": train.num_examples,
        "test_examples": splits.test.num_examples,
        "randomization": dataclasses.asdict(splits.randomization),
        "explicit_regularization": settled.explicit,
        "trainable_parameters": sum(int(np.prod(w.shape)) for w in network.trainable_weights),
        "fingerprints": {
            "train_data": train.fingerprint,
            "test_data": splits.test.fingerprint,
            "randomization": splits.randomization.fingerprint(train.num_classes),
            "epoch_order": summary.fingerprint([batches.order(epoch) for epoch in range(2)]),
        },
        **summary.environment(),
    }


def _hyperparameters(
    settled: regularization.ResolvedRegularization,
    schedule: Callable,
    optimizer: Callable,
) -> dict[str, Any]:
    return observers.hyperparameters(
        {
            "train.schedule": schedule.__name__,
            "train.optimizer": optimizer.__name__,
            "regularization.weight_decay": settled.weight_decay,
            "regularization.dropout": settled.dropout,
            "augmentation": settled.augmentation.describe(),
        }
    )


def _build(
    builder: Family,
    input_shape: tuple[int, int, int],
    num_classes: int,
    settled: regularization.ResolvedRegularization,
    optimizer: keras.optimizers.Optimizer,
    evaluation: Evaluation,
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

"""One training run: data, model, `model.fit`, workdir."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gin
import keras
import numpy as np
import tensorflow as tf

from rethink_keras import config as configuration
from rethink_keras.data import randomization as randomizing
from rethink_keras.data.augmentation import Augmentation
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
    optimizers,
    regularization,
    schedules,
    summary,
    whitening,
)
from rethink_keras.training.distribution import devices, workers
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.loop import Loop, Plan, Result
from rethink_keras.training.tensorboard import TensorBoard
from rethink_keras.training.weights_and_biases import WeightsAndBiases
from rethink_keras.validation import check_call, check_choice, check_int, check_number, check_seed
from rethink_keras.workdir.overwriting import check_replaceable
from rethink_keras.workdir.workdir import Workdir

EXECUTION_OPERATIONS = 30e9  # between two looks at signals: some tenths of a second on two cores


@gin.configurable(denylist=["workdir", "data_dir", "overwrite", "pause_after"])
def train(
    *,
    workdir: str | Path,
    data_dir: str | Path | None = None,
    overwrite: bool = False,
    pause_after: int | None = None,
    model: Family | None = None,
    epochs: int = 69,
    batch_size: int = 128,
    learning_rate: float = 0.01,
    schedule: schedules.ScheduleBuilder = schedules.exponential,
    optimizer: optimizers.OptimizerBuilder = optimizers.sgd,
    initialization: whitening.Initialization | None = None,
    seed: int = 0,
    strategy: str = "auto",
    precision: str = "float32",
    jit_compile: bool = False,
    steps_per_execution: int | str = "auto",
    deterministic: bool = True,
    tensorboard: bool = True,
    wandb: bool = False,
) -> Result:
    """Trains one network, or goes on where an earlier call with the same workdir stopped.

    Args:
        workdir: folder of the run.
        data_dir: TFDS data folder; None leaves it to TFDS.
        overwrite: moves an earlier run in the workdir aside and starts afresh.
        pause_after: saves and returns after so many epochs; a later call goes on. The schedule is that of all.
        model: the network's builder, such as `@small_inception`.
        epochs: 69 is the paper's (figure 1a's axis).
        batch_size: examples of a step over all replicas; the short last batch is kept. 128 is the paper's.
        learning_rate: initial.
        schedule: `@exponential`, `@steps`, `@cosine` or `@constant_rate`.
        optimizer: `@sgd`, `@adam`, `@rmsprop`, `@muon` or `@whitened_sgd`.
        initialization: `@whitened_first_kernel`, or None for what the network's layers say.
        seed: of everything random in the run; the randomization may have its own.
        strategy: 'multi_worker' trains on all hosts that TF_CONFIG names, see `multi_worker`, and so does 'auto'
            if it names several; for the rest see `devices.choose_strategy`.
        precision: 'float32', 'mixed_float16' or 'mixed_bfloat16'.
        jit_compile: compile the step with XLA; refused where that is not possible.
        steps_per_execution: steps between two looks at signals and the progress bar; 'auto' goes by the
            network's operations. It does not change results.
        deterministic: the same result to the bit on the same machine.
        tensorboard: write scalars, images and hyper-parameters for TensorBoard.
        wandb: show the run in Weights & Biases, see `weights_and_biases.WandbRun`.

    Returns:
        The history and the summary.

    Raises:
        UserError: for a configuration or a workdir that cannot be used.
        DataNotAvailableError: if the data set is neither on disk nor to be had.
        DivergedError: if the loss or a weight is not finite.
        StoppedBySignalError: after saving, if SIGINT, SIGTERM or SIGHUP came, to any worker.
        WorkerLostError: if another worker does not answer.
    """
    if model is None:
        raise UserError("No network is configured. Name a gin file, or bind train.model = @mlp, for example.")
    if not hasattr(model, "default_regularization"):
        raise UserError(
            f"train.model is {model!r}, which is no network. Take @mlp or @small_inception, for example."
        )
    check_call("train.schedule", schedule, initial=learning_rate, steps_per_epoch=1, epochs=epochs)
    check_call("train.optimizer", optimizer, learning_rate)
    if initialization is not None:
        check_call("train.initialization", initialization, None, None)
    check_int("train.epochs", epochs, 1, schedules.MOST_EPOCHS)
    check_int("train.batch_size", batch_size, 1)
    check_number("train.learning_rate", learning_rate, 1e-30, 1e30)
    if pause_after is not None:
        check_int("--pause_after", pause_after, 1)
    if steps_per_execution != "auto":
        check_int("train.steps_per_execution", steps_per_execution, 1)
    check_seed("train.seed", seed)
    check_choice("train.strategy", strategy, devices.STRATEGIES)
    looking_on = [*([TensorBoard()] if tensorboard else []), *([WeightsAndBiases()] if wandb else [])]
    team = workers.join(strategy)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    with contextlib.ExitStack() as held:
        stop = team.agreed(held.enter_context(stop_request()))
        held.enter_context(devices.precision(precision))
        held.enter_context(devices.tensorflow_errors_told())
        with team.together():
            folder = Workdir(workdir, writes=team.is_chief)
            if overwrite:
                check_replaceable(folder)
            held.enter_context(folder.locked())
            splits = Splits.configured(data_dir, seed)
            settled = _settle(splits, model)
            print(settled.log, flush=True)
            examples = splits.train.num_examples
            if batch_size > examples:
                raise UserError(
                    f"train.batch_size is {batch_size}, but there are {examples} training examples. Set it smaller."
                )
            strategy_object = team.strategy or devices.choose_strategy(strategy)
            devices.check_batch_divides(strategy_object, batch_size, examples)
            train_data = splits.pipeline("train", settled.augmentation, team.share)
            test_data = splits.pipeline("test", share=team.share)
        steps = train_data.steps(batch_size)
        team.check_same(_what_workers_share(splits))
        # Not earlier: TFDS draws random file names when it prepares a data set; weights must not depend on that.
        keras.utils.set_random_seed(seed)
        with strategy_object.scope() if strategy_object else tf.device(None):
            rate = schedule(initial=learning_rate, steps_per_epoch=steps, epochs=epochs)
            network, metrics = _build(
                model, train_data.input_shape, splits.train.num_classes, settled, optimizer(rate)
            )
            team.prepare(network, train_data.input_shape)
            normalization.fuse(network)
            whitening.prepare(network, train_data)
            if initialization is not None:
                initialization(network, train_data)
        per_execution = _steps_per_execution(steps_per_execution, network, batch_size, steps, strategy_object)
        feed = feeds.choose(network, train_data, batch_size, per_execution, strategy_object, jit_compile)
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
            facts={**_facts(splits, settled, network, train_data, seed), "workers": team.share.workers},
            class_names=splits.train.class_names,
            hyperparameters=_hyperparameters(settled, schedule, optimizer),
            observers=looking_on,
            team=team,
        )
        return Loop(plan, folder, stop).go(overwrite)


def _what_workers_share(splits: Splits) -> str:
    data = splits.train.fingerprint, splits.test.fingerprint
    return repr((configuration.resolved(), data, summary.environment()["versions"]))


def _settle(splits: Splits, model: Family) -> regularization.ResolvedRegularization:
    return regularization.settle(
        regularization.Regularization(),
        Augmentation(),
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
        "configuration": configuration.fingerprint(),
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
            "randomization": randomizing.fingerprint(splits.randomization, train.num_classes),
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
) -> tuple[keras.Model, list[keras.metrics.Metric]]:
    """The compiled network and the metrics whose running sums belong to its state."""
    options = {}
    if settled.dropout:
        if "dropout" not in configuration.parameters(builder):
            raise UserError(
                f"{builder.__name__} has no dropout. Leave regularization.dropout out, or take another model."
            )
        options["dropout"] = settled.dropout
    network = builder(input_shape, num_classes, **options)
    metrics = Evaluation().metrics(num_classes)
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

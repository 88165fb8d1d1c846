"""One training run: data, model, `model.fit`, workdir."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import gin
import keras
import numpy as np
import tensorflow as tf

from rethink_keras import config as configuration
from rethink_keras.data import randomization as randomizing
from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.pipeline import Pipeline, epoch_order
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import Dataset
from rethink_keras.errors import DivergedError, StoppedBySignalError, UserError
from rethink_keras.models.family import Family
from rethink_keras.models.operations import multiply_adds
from rethink_keras.models.weight_decay import with_weight_decay
from rethink_keras.training import devices, evaluation, optimizers, regularization, schedules, summary
from rethink_keras.training.callbacks import EpochData, ProgressBar, Recorder, TensorBoardScalars, epoch_line
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.signals import Stopped, StopRequest, stop_request
from rethink_keras.training.state import Row, RunState
from rethink_keras.training.workdir import Workdir

EXECUTION_OPERATIONS = 15e9  # multiply-adds between two looks at signals: some tenths of a second on two cores


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run returns: `history`, a row an epoch as in metrics.csv, and `summary` as in summary.json."""

    history: list[Row]
    summary: dict[str, Any]
    workdir: Path


@gin.configurable("checkpoints")
@dataclasses.dataclass(frozen=True)
class CheckpointPolicy:
    """When checkpoints are written and which are kept.

    Attributes:
        every_epochs: after each so-many-th epoch, and after the last.
        every_minutes: also in mid-epoch, after so many minutes without one; 0 for none.
        keep_last: the newest so many are kept.
        keep_every: and those after every so-many-th epoch; 0 for none.
    """

    every_epochs: int = 1
    every_minutes: float = 10.0
    keep_last: int = 2
    keep_every: int = 0

    def __post_init__(self):
        for name, least in (("every_epochs", 1), ("keep_last", 1), ("keep_every", 0)):
            _check_whole(f"checkpoints.{name}", getattr(self, name), least)
        if not self.every_minutes >= 0:
            raise UserError(f"checkpoints.every_minutes is {self.every_minutes!r}. Give minutes, or 0.")


@gin.configurable(denylist=["workdir", "data_dir", "overwrite"])
def train(
    *,
    workdir: str | Path,
    data_dir: str | Path | None = None,
    overwrite: bool = False,
    model: Family | None = None,
    epochs: int = 69,
    batch_size: int = 128,
    learning_rate: float = 0.01,
    schedule: schedules.ScheduleBuilder = schedules.exponential,
    optimizer: optimizers.OptimizerBuilder = optimizers.sgd,
    seed: int = 0,
    strategy: str = "auto",
    precision: str = "float32",
    jit_compile: bool = False,
    steps_per_execution: int | str = "auto",
    deterministic: bool = True,
    tensorboard: bool = True,
) -> Result:
    """Trains one network, or goes on where an earlier call with the same workdir stopped.

    Args:
        workdir: folder of the run.
        data_dir: TFDS data folder; None leaves it to TFDS.
        overwrite: moves an earlier run in the workdir aside and starts afresh.
        model: the network's builder, such as `@small_inception`.
        epochs: 69 is the paper's (figure 1a's axis).
        batch_size: examples of a step over all replicas; the short last batch is kept. 128 is the paper's.
        learning_rate: initial.
        schedule: `@exponential`, `@steps`, `@cosine` or `@constant`.
        optimizer: `@sgd`, `@adam` or `@rmsprop`.
        seed: of everything random in the run; the randomization may have its own.
        strategy: see `devices.choose_strategy`.
        precision: 'float32', 'mixed_float16' or 'mixed_bfloat16'.
        jit_compile: compile the step with XLA.
        steps_per_execution: steps between two looks at signals and the progress bar; 'auto' goes by the
            network's operations. It does not change results.
        deterministic: the same result to the bit on the same machine.
        tensorboard: write scalars for TensorBoard.

    Returns:
        The history and the summary.

    Raises:
        UserError: for a configuration or a workdir that cannot be used.
        DataNotAvailableError: if the data set is neither on disk nor to be had.
        DivergedError: if the loss is not finite.
        StoppedBySignalError: after saving, if SIGINT or SIGTERM came.
    """
    if model is None:
        raise UserError("No network is configured. Name a gin file, or bind train.model = @mlp, for example.")
    _check_whole("train.epochs", epochs, 1)
    _check_whole("train.batch_size", batch_size, 1)
    if isinstance(learning_rate, bool) or not isinstance(learning_rate, (int, float)) or not learning_rate > 0:
        raise UserError(f"train.learning_rate is {learning_rate!r}. Give a number above 0.")
    if steps_per_execution != "auto":
        _check_whole("train.steps_per_execution", steps_per_execution, 1)
    randomizing.check_seed("train.seed", seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    folder = Workdir(workdir)
    with stop_request() as stop, folder.locked(), devices.precision(precision):
        if overwrite and (aside := folder.set_aside()):
            print(f"The earlier run lies in {aside} now.")
        data = _Data.load(data_dir, model, seed)
        print(data.regularization.log, flush=True)
        strategy_object = devices.choose_strategy(strategy)
        devices.check_batch_divides(strategy_object, batch_size, data.train.num_examples)
        steps = data.train.steps(batch_size)
        with strategy_object.scope() if strategy_object else tf.device(None):
            rate = schedule(initial=learning_rate, steps_per_epoch=steps, epochs=epochs)
            network, metrics = _build(model, data, optimizer(rate))
        run = _Run(
            folder=folder,
            network=network,
            metrics=metrics,
            data=data,
            rate=rate,
            epochs=epochs,
            batch_size=batch_size,
            stop=stop,
            seed=seed,
            tensorboard=tensorboard,
        )
        network.jit_compile = jit_compile
        network.steps_per_execution = _steps_per_execution(
            steps_per_execution, network, batch_size, steps, strategy_object
        )
        return run.go()


class _Data:
    """Both splits as the network sees them, and the regularization that was settled for them."""

    def __init__(self, train, test, randomization, settled):
        self.train: Pipeline = train
        self.test: Pipeline = test
        self.randomization: Randomization = randomization
        self.regularization: regularization.Settled = settled

    @classmethod
    def load(cls, data_dir, model: Family, seed: int) -> _Data:
        # Small things first: a wrong word is told before the data are read.
        dataset = Dataset(data_dir=data_dir)
        randomization = Randomization().with_seed(seed)
        preprocessing = Preprocessing()
        asked, augmentation = regularization.Asked(), Augmentation()
        sources = {split: dataset.load(split) for split in ("train", "test")}
        image_shape = sources["train"].images.shape[1:]
        settled = regularization.settle(
            asked,
            augmentation,
            randomization=randomization,
            customary=model.customary,
            dataset=dataset.name,
            can_crop=preprocessing.output_shape(image_shape)[:2] != image_shape[:2],
        )
        statistics = sources["train"].pixel_statistics
        common = (randomization, preprocessing, statistics)
        train = Pipeline(sources["train"], *common, settled.augmentation, seed)
        return cls(train, Pipeline(sources["test"], *common), randomization, settled)

    def fingerprints(self, seed: int) -> dict[str, str]:
        order = np.concatenate([epoch_order(seed, epoch, self.train.num_examples) for epoch in range(2)])
        return {
            "train_data": self.train.source.fingerprint,
            "test_data": self.test.source.fingerprint,
            "randomization": randomizing.fingerprint(self.randomization, self.train.source.num_classes),
            "epoch_order": summary.weights_fingerprint([order]),
        }


class _Run:
    """A built network on its way through the epochs."""

    def __init__(self, *, folder, network, metrics, data, rate, epochs, batch_size, stop, seed, tensorboard):
        self._folder: Workdir = folder
        self._network: keras.Model = network
        self._data: _Data = data
        self._rate = rate
        self._epochs = epochs
        self._batch_size = batch_size
        self._stop: StopRequest = stop
        self._seed = seed
        self._steps = data.train.steps(batch_size)
        self._evaluation = Evaluation()
        self._policy = CheckpointPolicy()
        self._metrics: list[keras.metrics.Metric] = metrics
        self._variables = _all_variables(network, self._metrics)
        self._state = RunState()
        self._checkpoints = Checkpoints(
            folder.checkpoints, self._variables, self._policy.keep_last, self._policy.keep_every
        )
        self._with_tensorboard = tensorboard
        self._ended = False

    def go(self) -> Result:
        self._folder.claim(configuration.operative())
        for line in configuration.unused():
            print(f"Note: {line} is configured, but nothing in this run uses it.", flush=True)
        before = self._folder.read_summary()
        if before and before["status"] == "done":
            print(f"This run is done: {self._folder.summary} and {self._folder.metrics} hold its figures.")
            restored = self._checkpoints.restore_newest()
            return Result(restored.rows if restored else [], before, self._folder.path)
        self._state = self._checkpoints.restore_newest() or self._state
        if self._state.epoch or self._state.step:
            print(f"Going on in epoch {self._state.epoch + 1} after step {self._state.step}.", flush=True)
        self._facts = {
            "seed": self._seed,
            "model": self._network.name,
            "dataset": self._data.train.source.name,
            "randomization": dataclasses.asdict(self._data.randomization),
            "explicit_regularization": self._data.regularization.explicit,
            "trainable_parameters": sum(int(np.prod(w.shape)) for w in self._network.trainable_weights),
            "fingerprints": self._data.fingerprints(self._seed),
            **summary.environment(),
        }
        self._folder.write_metrics(self._state.rows)
        self._write_summary("running")
        self._tensorboard = (
            TensorBoardScalars(self._folder.tensorboard, self._state.rows) if self._with_tensorboard else None
        )
        try:
            self._train()
        finally:
            if self._tensorboard:
                self._tensorboard.close()
        return self._done()

    def _train(self) -> None:
        if self._state.running is not None:  # stopped while the epoch was being evaluated
            self._ended = self._finish_epoch(self._state.running)
        if self._state.step and not self._stop:
            self._fit(self._state.epoch + 1)
        if self._state.epoch < self._epochs and not self._ended and not self._stop:
            self._fit(self._epochs)
        if self._stop:
            self._stopped()

    def _fit(self, until_epoch: int) -> None:
        first_step = self._state.step
        recorder = Recorder(
            self._state,
            self._steps,
            self._finish_epoch,
            self._save,
            self._policy.every_minutes,
            self._stop,
            self._metrics,
        )
        batches = self._data.train.training_batches(self._batch_size, first_step)
        bar = ProgressBar(self._steps, first_step)
        self._network.fit(
            batches,
            initial_epoch=self._state.epoch,
            epochs=until_epoch,
            verbose=0,
            callbacks=[EpochData(self._data.train), bar, recorder],
        )
        if recorder.diverged:
            self._diverged()

    def _finish_epoch(self, running: dict[str, float]) -> bool:
        """Measures, writes and saves the epoch whose steps are done; returns whether training ends here."""
        state = self._state
        begin = time.perf_counter()
        try:
            row = self._measure(running)
        except Stopped:
            return True
        state.seconds += time.perf_counter() - begin
        row["seconds"] = round(state.seconds, 3)
        state.finish_epoch(row)
        self._ended = self._evaluation.stops_after(row) or state.epoch == self._epochs
        if self._ended or state.epoch % self._policy.every_epochs == 0:
            self._save()
        self._folder.write_metrics(state.rows)
        self._write_summary("running")
        if self._tensorboard:
            self._tensorboard.add(row)
        print(epoch_line(row), flush=True)
        return self._ended or bool(self._stop)

    def _measure(self, running: dict[str, float]) -> Row:
        how, data, network = self._evaluation, self._data, self._network
        running_loss = evaluation.cross_entropy(running)
        train_loss, train_accuracy = running_loss, running["accuracy"]
        if how.train_metrics == "fixed_weights":
            train_loss, train_accuracy = evaluation.measure(network, data.train, how.batch_size, self._stop)
        test_loss, test_accuracy = evaluation.measure(network, data.test, how.batch_size, self._stop)
        first_step = self._state.epoch * self._steps
        return {
            "epoch": self._state.epoch + 1,
            "step": first_step + self._steps,
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "test_loss": test_loss,
            "test_accuracy": test_accuracy,
            "learning_rate": float(self._rate(first_step)),
            "seconds": 0.0,
            "train_metrics": how.train_metrics,
            "running_loss": running_loss,
            "running_accuracy": running["accuracy"],
            "penalty": evaluation.penalty(network),
        }

    def _save(self) -> None:
        self._checkpoints.save(self._state)

    def _write_summary(self, status: str, **more: Any) -> dict[str, Any]:
        written = {
            "status": status,
            **summary.figures(self._state.rows, self._evaluation),
            **self._facts,
            **more,
        }
        self._folder.write_summary(written)
        return written

    def _done(self) -> Result:
        self._network.save(self._folder.model)
        fingerprints = {
            **self._facts["fingerprints"],
            "weights": summary.weights_fingerprint(self._network.weights),
        }
        written = self._write_summary("done", fingerprints=fingerprints)
        return Result(self._state.rows, written, self._folder.path)

    def _stopped(self) -> None:
        number = self._stop.number
        assert number is not None
        self._save()
        self._write_summary("interrupted")
        raise StoppedBySignalError(
            f"Stopped in epoch {self._state.epoch + 1} after step {self._state.step} and saved. "
            f"The same command goes on from there.",
            number,
        )

    def _diverged(self) -> None:
        state = self._state
        rate = float(self._rate(state.epoch * self._steps + state.step))
        saved = self._checkpoints.paths()
        self._write_summary("diverged", diverged={"epoch": state.epoch + 1, "step": state.step, "learning_rate": rate})
        raise DivergedError(
            f"The loss is not finite in epoch {state.epoch + 1} at step {state.step}, at a learning rate of "
            f"{rate:g}. Try a smaller train.learning_rate; the last good checkpoint is "
            f"{saved[-1] if saved else 'none'}."
        )


def _build(
    builder: Family, data: _Data, optimizer: keras.optimizers.Optimizer
) -> tuple[keras.Model, list[keras.metrics.Metric]]:
    """The compiled network and the metrics whose running sums belong to its state."""
    settled = data.regularization
    options = {}
    if settled.dropout:
        if "dropout" not in configuration.parameters(builder):
            raise UserError(
                f"{builder.__name__} has no dropout. Leave regularization.dropout out, or take another model."
            )
        options["dropout"] = settled.dropout
    network = builder(data.train.input_shape, data.train.source.num_classes, **options)
    metrics: list[keras.metrics.Metric] = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    if settled.weight_decay:
        network = with_weight_decay(network, settled.weight_decay, settled.decayed_layers)
        # The loss holds the penalty then; the cross-entropy is measured apart.
        metrics.append(keras.metrics.SparseCategoricalCrossentropy(name="cross_entropy", from_logits=True))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=optimizer, loss=loss, metrics=metrics)
    optimizer.build(network.trainable_variables)
    return network, [*network.metrics, *metrics]  # the running mean of the loss is Keras's own


def _all_variables(network: keras.Model, metrics: list[keras.metrics.Metric]) -> list:
    """Everything that training changes, each variable once, in a fixed order."""
    found = [*network.variables, *network.optimizer.variables, *(v for m in metrics for v in m.variables)]
    return list({id(v): v for v in found}.values())


def _steps_per_execution(asked, network, batch_size: int, steps: int, strategy) -> int:
    if strategy is not None:
        return 1  # more crashes under a strategy with two or more replicas (Keras 3.15)
    if asked != "auto":
        return asked
    operations = 3 * batch_size * max(multiply_adds(network), 1)  # forward, and twice as many backward
    return int(np.clip(EXECUTION_OPERATIONS // operations, 1, steps))


def _check_whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"{name} is {value!r}. Give a whole number of {least} or more.")

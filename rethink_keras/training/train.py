"""A training run from its configuration to its result. All that happens in a run can be followed from `train`."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from rethink_keras import config as gin_config
from rethink_keras.data.pipeline import Pipeline
from rethink_keras.errors import DivergedError, StoppedBySignalError
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.signals import Stopped, StopRequest, stop_request
from rethink_keras.training import batch_statistics, data, divergence, provenance, resuming, start_lines
from rethink_keras.training.callbacks import CALLBACKS
from rethink_keras.training.callbacks.epoch_order import EpochOrder
from rethink_keras.training.callbacks.evaluate import Evaluate
from rethink_keras.training.callbacks.progress import PrintEpoch, ShowSteps
from rethink_keras.training.callbacks.save_checkpoint import SaveCheckpoint
from rethink_keras.training.callbacks.stop_on_divergence import StopOnDivergence
from rethink_keras.training.callbacks.stop_training import StopTraining
from rethink_keras.training.callbacks.tensorboard import TensorBoard
from rethink_keras.training.callbacks.track_state import TrackState
from rethink_keras.training.callbacks.weights_and_biases import WeightsAndBiases, import_wandb
from rethink_keras.training.callbacks.write_metrics import WriteMetrics
from rethink_keras.training.callbacks.writer import Writer
from rethink_keras.training.checkpoints import Checkpoints, variables_of
from rethink_keras.training.config import RunConfig
from rethink_keras.training.distribution import devices
from rethink_keras.training.distribution.machine_line import device_words
from rethink_keras.training.distribution.workers import connect_workers
from rethink_keras.training.evaluators import EVALUATORS
from rethink_keras.training.evaluators.label_confusion import LabelConfusion, can_be_measured
from rethink_keras.training.export import save_plain
from rethink_keras.training.hyperparameters import hyperparameters
from rethink_keras.training.learning_curves import write_curves
from rethink_keras.training.network import build_network
from rethink_keras.training.progress_display import ProgressDisplay
from rethink_keras.training.run import Run
from rethink_keras.training.steps import BatchSource
from rethink_keras.training.summary import RunSummary, facts_of_run
from rethink_keras.training.time_to_go import TimeToGo
from rethink_keras.validation import check_int
from rethink_keras.workdir.columns import MetricsRow
from rethink_keras.workdir.overwriting import check_replaceable, set_aside
from rethink_keras.workdir.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of a run.

    Attributes:
        history: The rows of `metrics.csv`, one for each evaluated epoch.
        summary: The content of `summary.json`.
        workdir: The run's folder.
    """

    history: list[MetricsRow]
    summary: dict[str, Any]
    workdir: Path


def train(
    config: RunConfig,
    *,
    workdir: str | Path,
    overwrite: bool = False,
    pause_after: int | None = None,
) -> Result:
    """Trains one network, or resumes the run in the workdir.

    Args:
        config: The run's configuration.
        workdir: The run's folder.
        overwrite: Move an earlier run in the workdir aside and start afresh.
        pause_after: Save and return after this number of epochs; a later call resumes. The learning-rate schedule is
            that of all epochs.

    Returns:
        The history and the summary.

    Raises:
        UserError: The configuration or the workdir cannot be used.
        DataNotAvailableError: The data set is neither on disk nor can be downloaded.
        DivergedError: The loss or a weight is not finite.
        DiskError: The workdir cannot be written any more.
        StoppedBySignalError: SIGINT, SIGTERM or SIGHUP came, to any worker; the run is saved.
        WorkerLostError: Another worker does not answer.
    """
    options = config.train
    if pause_after is not None:
        check_int("--pause_after", pause_after, 1)
    if config.wandb:
        import_wandb()
    with contextlib.ExitStack() as stack:
        # Connect to the other workers before TensorFlow does anything else in this process.
        workers = connect_workers(options.strategy)
        if options.deterministic:
            tf.config.experimental.enable_op_determinism()
        stop = workers.stop_on_all(stack.enter_context(stop_request()))
        stack.enter_context(devices.translate_tensorflow_errors())

        # Lock the workdir, read the data, resolve the regularization.
        with workers.barrier():
            folder = Workdir(workdir, writes=workers.is_chief)
            if overwrite:
                check_replaceable(folder)
            stack.enter_context(folder.locked())
            compute = devices.choose(options.strategy, workers, in_memory=config.splits.in_memory)
            stack.enter_context(compute.placement())
            devices.check_batch_divides(compute, options.batch_size, config.splits.train.num_examples)
            devices.check_precision(compute, options.precision)
            print(start_lines.line("Device", device_words(compute.strategy, options.precision)), flush=True)
            run_data, regularizers = data.read(config, workers.shard, compute.device)
            print(start_lines.data_line(run_data), flush=True)
            print(start_lines.line("Regularization", regularizers.log), flush=True)
        fingerprints = run_data.splits.train.fingerprint, run_data.splits.test.fingerprint
        workers.check_same(repr((gin_config.resolved(), fingerprints, provenance.environment()["versions"])))

        # Build and compile the network. Its weights and dropout masks depend on the seed alone, which is set there.
        compiled = build_network(
            config,
            run_data.train,
            num_classes=run_data.splits.train.num_classes,
            regularization=regularizers,
            evaluated=(run_data.test,),
            devices=compute,
        )
        network, metrics, source = compiled.network, compiled.metrics, compiled.batch_source
        facts = facts_of_run(config, run_data, regularizers, network, workers)
        print(start_lines.network_line(facts), flush=True)
        print(start_lines.length_line(config, run_data.train), flush=True)
        batch_norm = batch_statistics.choose(config.evaluation, network, run_data.train, options.batch_size)

        # Restore the newest checkpoint of this configuration, if there is one.
        stack.enter_context(explain_disk_errors(folder.path))
        evaluation_batch_size = config.evaluation.batch_size_for(
            network, [run_data.train, run_data.test], compute
        )
        for name in gin_config.unused():
            print(f"Note: {name} is configured, but nothing in this run uses it.", flush=True)
        with workers.barrier():
            if overwrite:
                set_aside(folder)
            folder.check_configuration(gin_config.operative(), gin_config.defaults())
        variables = variables_of(network, metrics)
        checkpoints = Checkpoints(folder.checkpoints, variables, config.checkpoints, workers)
        state = resuming.restore(checkpoints, facts["fingerprints"], folder)
        if not state.step or state.running is not None:
            # Only an epoch that resumes in the middle continues sums. Keras does not reset metrics before it has
            # built them.
            for metric in metrics:
                metric.reset_state()
        run = Run(
            config=config,
            folder=folder,
            workers=workers,
            network=network,
            schedule=compiled.learning_rate,
            train=run_data.train,
            test=run_data.test,
            evaluation_batch_size=evaluation_batch_size,
            class_names=run_data.splits.train.class_names,
            state=state,
            stop=stop,
            facts=facts,
        )
        summary = RunSummary(run)

        def write_model() -> None:
            with batch_norm.for_evaluation(StopRequest()):
                save_plain(network, folder.model)

        # A run that is done is completed if it has lost files, and never trained again.
        with workers.barrier():
            earlier_summary = resuming.read_summary(folder, state)
        if workers.broadcast(earlier_summary.get("status") == "done"):
            weights = provenance.fingerprint(network.weights)
            is_final = run.has_ended and earlier_summary.get("fingerprints", {}).get("weights") == weights
            with workers.barrier():
                rows = resuming.complete(folder, state.rows, is_final, write_model)
            if not folder.curves.exists():
                write_curves(run, rows)
            return Result(rows, earlier_summary, folder.path)
        with workers.barrier():
            resuming.begin(folder, state, earlier_summary)
            summary.write("running")

        # Assemble the callbacks, in the order in which they are called.
        confusion = _label_confusion(run)
        evaluators = [EVALUATORS[name](run) for name in config.evaluation.evaluators]
        evaluators += [confusion] if confusion else []
        writers = _writers(run, hyperparameters(options, regularizers), confusion)
        save_checkpoint = SaveCheckpoint(run, checkpoints)
        until_epoch = min(pause_after or options.epochs, options.epochs)
        display, time_to_go = ProgressDisplay(), TimeToGo(run, until_epoch)
        stack.callback(display.end)  # however training ends
        callbacks = [
            EpochOrder(run.train),
            TrackState(run, source.steps_per_batch, metrics),
            ShowSteps(run, display, time_to_go),
            StopOnDivergence(run),
            Evaluate(run, batch_norm, evaluators, display, time_to_go),
            save_checkpoint,
            WriteMetrics(run, summary),
            *writers,
            PrintEpoch(run, display, time_to_go),
            *(CALLBACKS[name](run) for name in options.callbacks),
            StopTraining(run),
        ]

        # Train, and write the result.
        with _opened(writers, summary):
            try:
                # A stop in the middle of an evaluation: a resumed run repeats it.
                with contextlib.suppress(Stopped):
                    _fit(run, source, until_epoch, callbacks)
                if not run.has_ended:
                    save_checkpoint.save()
            except DivergedError:
                summary.write("diverged", diverged=divergence.position(run))
                write_curves(run, state.rows)
                raise
            if run.has_ended:
                weights = provenance.fingerprint(network.weights)
                with workers.barrier():
                    if workers.is_chief:
                        write_model()
                    summary.write("done", fingerprints={**facts["fingerprints"], "weights": weights})
            else:
                summary.write("interrupted")
                if stop.number is not None:
                    raise StoppedBySignalError(
                        f"Stopped in epoch {state.epoch + 1} after step {state.step} and saved. "
                        "The same command resumes the run.",
                        stop.number,
                    )
                print(f"Paused after epoch {state.epoch} and saved.", flush=True)
            write_curves(run, state.rows)
        return Result(state.rows, summary.content, folder.path)


def _fit(run: Run, source: BatchSource, until_epoch: int, callbacks: list[keras.callbacks.Callback]) -> None:
    """Trains until an epoch, counted from 1, a stop or the end of the run.

    A run that stopped in the middle of an epoch needs a shorter data set for the rest of it, and so a call of `fit` of
    its own; all other epochs are one call. A run that stopped while an epoch was evaluated has no steps left in it:
    only the end of that epoch is repeated.
    """
    network, state = run.network, run.state

    def fit(epochs: int) -> None:
        network.fit(
            source.dataset(state.step),
            initial_epoch=state.epoch,
            epochs=epochs,
            verbose=0,
            shuffle=False,  # the batches are in the order of the epoch
            callbacks=callbacks,
        )

    if state.running is not None:
        all_callbacks = keras.callbacks.CallbackList(callbacks, model=network)
        all_callbacks.on_epoch_end(state.epoch, dict(state.running))
    elif state.step and not run.stop:
        fit(state.epoch + 1)
    if state.epoch < until_epoch and not run.has_ended and not run.stop:
        fit(until_epoch)


def _label_confusion(run: Run) -> LabelConfusion | None:
    """Returns the evaluator of label confusion, if a writer shows it and it can be measured."""
    if not (run.config.train.tensorboard or run.config.wandb):
        return None
    if can_be_measured(run.train):
        return LabelConfusion(run)
    if run.config.splits.randomization.label_randomization.randomized:
        print("Note: label confusion is measured by a single worker, on data in memory, only.", flush=True)
    return None


def _writers(run: Run, parameters: dict[str, Any], confusion: LabelConfusion | None) -> list[Writer]:
    """Returns the configured writers."""
    writers: list[Writer] = []
    if run.config.train.tensorboard:
        writers.append(TensorBoard(run, parameters, confusion))
    if run.config.wandb:
        writers.append(WeightsAndBiases(run, parameters, confusion, run.config.wandb))
    if writers and not isinstance(run.train, Pipeline):
        print("Note: the first batch is not shown, since its images are streamed.", flush=True)
    return writers


@contextlib.contextmanager
def _opened(writers: Sequence[Writer], summary: RunSummary) -> Iterator[None]:
    """Opens the writers on the chief, and closes them with the last summary, however the block ends."""
    run = summary.run
    opened = [writer for writer in writers if run.workers.is_chief]
    with run.workers.barrier():
        for writer in opened:
            writer.open(run.state.rows)
    try:
        yield
    finally:
        for writer in opened:
            writer.close(summary.content)

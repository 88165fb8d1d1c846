"""The way of a built network through its epochs: fit, measure, record, save, stop, go on."""

from __future__ import annotations

import dataclasses
import datetime
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from rethink_keras import config as configuration
from rethink_keras.data.batches import Batches
from rethink_keras.data.pipeline import Pipeline
from rethink_keras.errors import StoppedBySignalError
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.signals import Stopped, StopRequest
from rethink_keras.training import batch_statistics, evaluation, resuming, summary
from rethink_keras.training.callbacks import (
    EpochData,
    ProgressBar,
    Recorder,
    epoch_line,
    unmeasured_epoch_line,
)
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.config import RunConfig
from rethink_keras.training.confusion import Confusions, can_be_measured
from rethink_keras.training.distribution.workers import Workers
from rethink_keras.training.divergence import diverged, non_finite_weight
from rethink_keras.training.export import save_plain
from rethink_keras.training.feeds import Feed
from rethink_keras.training.observers import Epoch, ObservedRun, Observer, first_batch
from rethink_keras.training.schedules import Schedule
from rethink_keras.training.state import Row, RunState
from rethink_keras.workdir.overwriting import set_aside
from rethink_keras.workdir.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run returns: `history`, the rows of metrics.csv, and `summary` as in summary.json."""

    history: list[Row]
    summary: dict[str, Any]
    workdir: Path


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run is made of.

    Attributes:
        network: compiled.
        metrics: of the network, whose running sums belong to its state.
        train: training batches.
        feed: what `fit` reads of them.
        test: test batches.
        rate: learning rate by step.
        epochs: how many.
        pause_after: saves and ends after so many of them, to go on another time; `epochs` for no pause.
        batch_size: examples of a step.
        facts: what `summary.json` says of the run besides its figures.
        class_names: one for each class.
        hyperparameters: by name, for those who look on.
        observers: who look on.
        workers: the workers that train it.
        config: of the run.
    """

    network: keras.Model
    metrics: list[keras.metrics.Metric]
    train: Batches
    feed: Feed
    test: Batches
    rate: Schedule
    epochs: int
    pause_after: int
    batch_size: int
    facts: dict[str, Any]
    class_names: tuple[str, ...]
    hyperparameters: dict[str, Any]
    observers: Sequence[Observer]
    workers: Workers
    config: RunConfig


class Loop:
    """Goes through the epochs of a plan, from where its workdir stands.

    Args:
        plan: what to train.
        folder: locked workdir.
        stop: asks for a stop.
    """

    def __init__(self, plan: Plan, folder: Workdir, stop: StopRequest):
        self._plan = plan
        self._workers = plan.workers
        self._folder = folder
        self._stop = stop
        self._steps = plan.train.steps(plan.batch_size)
        self._evaluation = plan.config.evaluation
        self._policy = plan.config.checkpoints
        keep = self._policy.keep_last, self._policy.keep_every
        self._checkpoints = Checkpoints(folder.checkpoints, _all_variables(plan), *keep, plan.workers)
        self._state = RunState()
        self._observers = plan.observers if folder.writes else ()
        self._confusions = (
            Confusions(folder.confusion, plan.train, plan.config.confusion)
            if plan.observers and can_be_measured(plan.train)
            else None
        )
        self._batch_norm = batch_statistics.choose(
            self._evaluation, plan.network, plan.train, plan.batch_size
        )
        self._summary: dict[str, Any] = {}
        self._ended = False
        self._last_save = time.monotonic()

    def go(self, overwrite: bool = False) -> Result:
        """Trains to the end.

        Args:
            overwrite: moves an earlier run in the workdir aside and starts afresh.

        Raises:
            UserError: if the workdir holds a run of another configuration, a checkpoint of another model, or a run
                that is done and has lost what cannot be rebuilt.
            DivergedError: if the loss or a weight is not finite.
            StoppedBySignalError: after saving, if a stop was asked for.
            DiskError: if the workdir cannot be written any more.
        """
        with explain_disk_errors(self._folder.path):
            return self._go(overwrite)

    def _go(self, overwrite: bool) -> Result:
        batch_size = self._evaluation.batch_size_for(self._plan.network)
        for split in (self._plan.train, self._plan.test):
            self._evaluation.check_shared_out(batch_size, split.num_examples, self._workers.shard.workers)
        for name in configuration.unused():
            print(f"Note: {name} is configured, but nothing in this run uses it.", flush=True)
        with self._workers.barrier():
            if overwrite:
                set_aside(self._folder)
            self._folder.check_configuration(configuration.operative())
        self._restore()
        with self._workers.barrier():
            before = resuming.read_summary(self._folder, self._state)
        if self._workers.broadcast(before.get("status") == "done"):
            return self._accept(before)
        with self._workers.barrier():
            resuming.begin(self._folder, self._state, before)
            self._write_summary("running")
            self._begin_observing()
        try:
            self._train()
            return self._done() if self._ended else self._paused()
        finally:
            for observer in self._observers:
                observer.end(self._summary)

    def _accept(self, before: dict[str, Any]) -> Result:
        """The result of a run that is done, once its files are known to be whole."""
        weights = summary.fingerprint(self._plan.network.weights)
        is_final = self._ended and before.get("fingerprints", {}).get("weights") == weights
        with self._workers.barrier():
            rows = resuming.accept(self._folder, self._state.rows, is_final, self._write_model)
        return Result(rows, before, self._folder.path)

    def _restore(self) -> None:
        self._state = resuming.restore(self._checkpoints, self._plan.facts["fingerprints"], self._folder)
        self._ended = bool(self._state.rows) and self._ends_after(self._state.rows[-1])
        if not self._state.step or self._state.running is not None:
            # Sums go on in mid-epoch only, and Keras does not reset metrics that it has not built yet.
            for metric in self._plan.metrics:
                metric.reset_state()
        if self._confusions:
            self._confusions.restore(self._state.epoch)

    def _train(self) -> None:
        state, plan = self._state, self._plan
        if state.running is not None:  # stopped while the epoch was being measured
            self._finish_epoch(state.running)
        elif state.step and not self._stop:
            self._fit(state.epoch + 1)
        if state.epoch < plan.pause_after and not self._ended and not self._stop:
            self._fit(plan.pause_after)
        if self._stop and not self._ended:
            self._stopped()

    def _fit(self, until_epoch: int) -> None:
        state, plan = self._state, self._plan
        state.add_versions(plan.facts["versions"])
        recorder = Recorder(
            state,
            steps=self._steps,
            steps_per_batch=plan.feed.steps_per_batch,
            finish_epoch=self._finish_epoch,
            save_if_due=self._save_if_due,
            stop=self._stop,
            metrics=plan.metrics,
        )
        plan.network.fit(
            plan.feed.dataset(state.step),
            initial_epoch=state.epoch,
            epochs=until_epoch,
            verbose=0,
            shuffle=False,  # the pipeline has ordered them
            callbacks=[EpochData(plan.train), recorder, ProgressBar(state, self._steps)],
        )
        if recorder.diverged:
            self._diverged("The loss")

    def _finish_epoch(self, running: dict[str, float]) -> bool:
        """Measures, saves and writes the epoch whose steps are done; returns whether training pauses here."""
        self._check_weights()
        state = self._state
        row = None
        if self._evaluation.due(state.epoch + 1, self._plan.epochs):
            try:
                row = self._measure(running)
            except Stopped:
                return True
            self._ended = self._ends_after(row)
        state.finish_epoch(row)
        if self._ended or state.epoch % self._policy.every_epochs == 0:
            self._save()
        else:
            self._save_if_due()
        if row:
            self._show(row)
            print(epoch_line(row), flush=True)
        else:
            print(unmeasured_epoch_line(state.epoch, running), flush=True)
        return self._ended or bool(self._stop)

    def _show(self, row: Row) -> None:
        with self._workers.barrier():
            self._folder.write_metrics(self._state.rows)
            self._write_summary("running")
            for observer in self._observers:
                observer.add(self._observed(row))

    def _ends_after(self, row: Row) -> bool:
        return row["epoch"] >= self._plan.epochs or self._evaluation.stops_after(row)

    def _measure(self, running: dict[str, float]) -> Row:
        begin = time.perf_counter()
        self._state.add_versions(self._plan.facts["versions"])
        with self._batch_norm.for_evaluation(self._stop):
            row = self._figures(running)
            if not (math.isfinite(row["train_loss"]) and math.isfinite(row["test_loss"])):
                self._diverged("The loss")
            if self._confusions:
                batch_size = self._evaluation.batch_size_for(self._plan.network)
                is_last = self._ends_after(row)
                self._confusions.measure(self._plan.network, batch_size, row["epoch"], is_last, self._stop)
        self._state.seconds += time.perf_counter() - begin
        return {**row, "seconds": round(self._state.seconds, 3)}

    def _figures(self, running: dict[str, float]) -> Row:
        how, plan = self._evaluation, self._plan
        batch_size = how.batch_size_for(plan.network)
        train = evaluation.figures(running)
        if how.train_metrics == "fixed_weights":
            train = evaluation.measure(plan.network, plan.train, batch_size, self._stop)
        test = evaluation.measure(plan.network, plan.test, batch_size, self._stop)
        first_step = self._state.epoch * self._steps
        return {
            "epoch": self._state.epoch + 1,
            "step": first_step + self._steps,
            **{f"train_{name}": value for name, value in train.items()},
            **{f"test_{name}": value for name, value in test.items()},
            "learning_rate": float(plan.rate(first_step)),
            "seconds": 0.0,
            "train_metrics": how.train_metrics,
            "batch_norm": self._batch_norm.name,
            "running_loss": evaluation.cross_entropy(running),
            "running_accuracy": running["accuracy"],
            "penalty": evaluation.penalty(plan.network),
        }

    def _begin_observing(self) -> None:
        plan, state = self._plan, self._state
        if not self._observers:
            return
        if not self._confusions and plan.facts["randomization"]["labels"] != "true":
            print(
                "Note: the confusion of corrupted and clean labels is measured by one worker, in memory, only."
            )
        train = plan.train
        if not isinstance(train, Pipeline):
            print("Note: the first batch is not shown, since its images are streamed.", flush=True)
        run = ObservedRun(
            workdir=self._folder.path,
            configuration=configuration.operative(),
            hyperparameters=plan.hyperparameters,
            facts=plan.facts,
            class_names=plan.class_names,
            first_batch=(lambda: first_batch(train, plan.batch_size))
            if isinstance(train, Pipeline)
            else None,
        )
        for observer in self._observers:
            observer.begin(run, [self._observed(row) for row in state.rows])

    def _observed(self, row: Row) -> Epoch:
        return Epoch(row, self._confusions.after(row["epoch"]) if self._confusions else None)

    def _save(self) -> None:
        self._check_weights()
        self._checkpoints.save(self._state)
        self._last_save = time.monotonic()

    def _save_if_due(self) -> None:
        limit = self._policy.every_minutes * 60
        if limit and self._workers.broadcast(time.monotonic() - self._last_save >= limit):
            self._save()

    def _write_summary(self, status: str, **more: Any) -> dict[str, Any]:
        figures = summary.figures(self._state.rows, self._evaluation)
        day = datetime.datetime.now(datetime.UTC).date().isoformat()
        facts = {**self._plan.facts, "computed_by": self._state.versions}
        written = {"status": status, "date": day, **figures, **facts, **more}
        self._folder.write_summary(written)
        self._summary = written
        return written

    def _done(self) -> Result:
        self._check_weights()
        network, fingerprints = self._plan.network, self._plan.facts["fingerprints"]
        fingerprints = {**fingerprints, "weights": summary.fingerprint(network.weights)}
        with self._workers.barrier():
            if self._folder.writes:
                self._write_model()
            written = self._write_summary("done", fingerprints=fingerprints)
        return Result(self._state.rows, written, self._folder.path)

    def _write_model(self) -> None:
        with self._batch_norm.for_evaluation(StopRequest()):
            save_plain(self._plan.network, self._folder.model)

    def _paused(self) -> Result:
        self._save()
        written = self._write_summary("interrupted")
        print(f"Paused after epoch {self._state.epoch} and saved.", flush=True)
        return Result(self._state.rows, written, self._folder.path)

    def _stopped(self) -> None:
        number = self._stop.number
        assert number is not None
        self._save()
        self._write_summary("interrupted")
        raise StoppedBySignalError(
            f"Stopped in epoch {self._state.epoch + 1} after step {self._state.step} and saved. "
            "The same command goes on from there.",
            number,
        )

    def _check_weights(self) -> None:
        name = non_finite_weight(self._plan.network)
        if self._workers.broadcast(name is not None):
            self._diverged(f"The weight {name}")

    def _diverged(self, what: str) -> None:
        state = self._state
        rate = float(self._plan.rate(state.epoch * self._steps + state.step - 1))
        where = {"epoch": state.epoch + 1, "step": state.step, "learning_rate": rate}
        self._write_summary("diverged", diverged=where)
        raise diverged(what, where, self._checkpoints.paths())


def _all_variables(plan: Plan) -> list:
    """Everything that training changes, each variable once, in a fixed order."""
    of_metrics = [v for metric in plan.metrics for v in metric.variables]
    found = [*plan.network.variables, *plan.network.optimizer.variables, *of_metrics]
    return list({id(v): v for v in found}.values())

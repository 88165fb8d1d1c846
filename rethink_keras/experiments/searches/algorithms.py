"""How a search chooses its trials: Keras Tuner's oracles, made to be stored whole and to say what they cost."""

from __future__ import annotations

import contextlib
import math
from typing import Protocol

import gin
import keras_tuner
import numpy as np
import threadpoolctl
from keras_tuner.engine import trial as trials_module
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle

from rethink_keras.errors import UserError
from rethink_keras.validation import check_int, check_number

MOST_ITERATIONS = 1000  # of Hyperband
_FROM_SEARCH = ["objective", "hyperparameters", "trials", "epochs", "seed"]
ROOT, EPOCHS = "tuner/root", "tuner/epochs"  # Hyperband's: the trial gone on from, the epoch to end after
COMPLETED, FAILED = trials_module.TrialStatus.COMPLETED, trials_module.TrialStatus.FAILED


class Algorithm(Protocol):
    """What `search.algorithm` is bound to."""

    __name__: str

    def __call__(
        self,
        *,
        objective: keras_tuner.Objective,
        hyperparameters: keras_tuner.HyperParameters,
        trials: int,
        epochs: int,
        seed: int,
    ) -> InMemory:
        """The oracle of a search of so many trials of so many epochs."""


class InMemory(keras_tuner.Oracle):
    """An oracle that leaves storing to `Chief`: Keras Tuner's own files cannot be written at one stroke."""

    def save(self):
        """Does nothing."""

    def _save_trial(self, trial):
        """Does nothing."""

    def costs(self, epochs: int) -> list[int]:
        """Epochs of each trial at most, those not counted that it goes on from; `epochs` are those of a run."""
        return [epochs] * self.max_trials


class _Random(InMemory, RandomSearchOracle):
    pass


class _Bayesian(InMemory, BayesianOptimizationOracle):
    def populate_space(self, trial_id):
        """Proposes as a function of the seed and the trials so far, whether or not a process has ended meanwhile."""
        self._random_state = np.random.RandomState([self.seed, len(self.trials)])
        with threadpoolctl.threadpool_limits(1):  # its matrices are small
            return super().populate_space(trial_id)


class _Hyperband(InMemory, HyperbandOracle):
    def populate_space(self, trial_id):
        """Proposes; a failed trial counts as the worst of its rung, or a few would leave nobody to go on."""
        with self._failed_as_worst():
            response = super().populate_space(trial_id)
        values = response.get("values") or {}
        if before := values.get("tuner/trial_id"):
            values[ROOT] = self.trials[before].hyperparameters.values.get(ROOT, before)
        return response

    def costs(self, epochs: int) -> list[int]:
        """Epochs of each trial; a trial of a later rung goes on from one before."""
        found = []
        for bracket in reversed(range(self._get_num_brackets())):
            before = 0
            for rung in range(self._get_num_rounds(bracket)):
                until = self._get_epochs(bracket, rung)
                found += [until - before] * self._get_size(bracket, rung)
                before = until
        return found * self.hyperband_iterations

    @contextlib.contextmanager
    def _failed_as_worst(self):
        failed = [trial for trial in self.trials.values() if trial.status == FAILED]
        for trial in failed:
            trial.status, trial.score = (
                COMPLETED,
                -math.inf if self.objective.direction == "max" else math.inf,
            )
        try:
            yield
        finally:
            for trial in failed:
                trial.status, trial.score = FAILED, None


@gin.configurable(denylist=_FROM_SEARCH)
def random_search(*, objective, hyperparameters, trials: int, epochs: int, seed: int) -> InMemory:
    """Draws every trial anew."""
    del epochs
    return _Random(max_trials=trials, **_common(objective, hyperparameters, seed))


@gin.configurable(denylist=_FROM_SEARCH)
def bayesian(
    *,
    objective,
    hyperparameters,
    trials: int,
    epochs: int,
    seed: int,
    random_trials: int | None = None,
    exploration: float = 2.6,
) -> InMemory:
    """Bayesian optimization: a Gaussian process over the trials so far, upper confidence bound.

    `random_trials` are drawn at first, three times the number of parameters if it is None; the larger `exploration`,
    the farther from known trials it looks.
    """
    del epochs
    if random_trials is not None:
        check_int("bayesian.random_trials", random_trials, 1)
    check_number("bayesian.exploration", exploration, 0, 1e6)
    return _Bayesian(
        max_trials=trials,
        num_initial_points=random_trials,
        beta=exploration,
        **_common(objective, hyperparameters, seed),
    )


@gin.configurable(denylist=_FROM_SEARCH)
def hyperband(
    *,
    objective,
    hyperparameters,
    trials: int,
    epochs: int,
    seed: int,
    factor: int = 3,
    iterations: int = 1,
) -> InMemory:
    """Hyperband (Li et al. 2018): many short trials; of each rung the best `1 / factor` go on `factor` times as long.

    It decides itself how many trials there are; `iterations` says how often it goes through all its brackets.
    """
    del trials
    check_int("hyperband.factor", factor, 2)
    check_int("hyperband.iterations", iterations, 1, MOST_ITERATIONS)
    if epochs < factor:
        raise UserError(
            f"hyperband.factor is {factor}, more than train.epochs, which is {epochs}. Give more epochs, or a smaller "
            "factor."
        )
    return _Hyperband(
        max_epochs=epochs,
        factor=factor,
        hyperband_iterations=iterations,
        **_common(objective, hyperparameters, seed),
    )


def _common(objective, hyperparameters, seed: int) -> dict:
    return {
        "objective": objective,
        "hyperparameters": hyperparameters,
        "seed": seed + 1,  # 0 would be drawn from the clock
        "max_consecutive_failed_trials": None,  # a failed trial never stops a search
        "allow_new_entries": False,
        "tune_new_entries": False,
    }

"""How a search chooses its trials: Keras Tuner's oracles, without files of their own, and with the costs of trials."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any, Protocol

import gin
import keras_tuner
import numpy as np
import threadpoolctl
from keras_tuner.engine import trial as trials_module
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle

from rethink_keras.errors import UserError
from rethink_keras.validation import check_int, check_number

MOST_ITERATIONS = 1000  # of Hyperband
_FROM_SEARCH = ["common", "trials", "epochs"]
ROOT, EPOCHS = "tuner/root", "tuner/epochs"  # of Hyperband: the trial that is resumed, the last epoch
COMPLETED, FAILED = trials_module.TrialStatus.COMPLETED, trials_module.TrialStatus.FAILED


class Algorithm(Protocol):
    """Signature of what `search.algorithm` is bound to."""

    __name__: str

    def __call__(self, *, common: Mapping[str, Any], trials: int, epochs: int) -> SearchOracle:
        """Returns the oracle of a search of `trials` trials of `epochs` epochs.

        Args:
            common: Arguments of every oracle of Keras Tuner: the objective, the space, the seed and others.
            trials: Number of trials.
            epochs: Maximum number of epochs of a run.
        """


class SearchOracle(keras_tuner.Oracle):
    """An oracle that `Chief` stores: the several files of Keras Tuner cannot be written in one atomic operation."""

    def save(self):
        """Does nothing."""

    def _save_trial(self, trial):
        """Does nothing."""

    def costs(self, epochs: int) -> list[int]:
        """Returns the maximum number of epochs of each trial, without those of the trial that it resumes.

        Args:
            epochs: Maximum number of epochs of a run.
        """
        return [epochs] * self.max_trials


class _Random(SearchOracle, RandomSearchOracle):
    pass


class _Bayesian(SearchOracle, BayesianOptimizationOracle):
    def populate_space(self, trial_id):
        """Proposes values as a function of seed and trials so far, so that a resumed search proposes the same."""
        self._random_state = np.random.RandomState([self.seed, len(self.trials)])
        with threadpoolctl.threadpool_limits(1):  # its matrices are too small for more
            return super().populate_space(trial_id)


class _Hyperband(SearchOracle, HyperbandOracle):
    def populate_space(self, trial_id):
        """Proposes values. A failed trial counts as the worst of its rung, which would never be complete otherwise."""
        with self._failed_as_worst():
            response = super().populate_space(trial_id)
        values = response.get("values") or {}
        if before := values.get("tuner/trial_id"):
            values[ROOT] = self.trials[before].hyperparameters.values.get(ROOT, before)
        return response

    def costs(self, epochs: int) -> list[int]:
        """Returns the epochs of each trial. A trial of a later rung resumes one of the rung before."""
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
        worst = -math.inf if self.objective.direction == "max" else math.inf
        for trial in failed:
            trial.status, trial.score = COMPLETED, worst
        try:
            yield
        finally:
            for trial in failed:
                trial.status, trial.score = FAILED, None


@gin.configurable(denylist=_FROM_SEARCH)
def random_search(*, common: Mapping[str, Any], trials: int, epochs: int) -> SearchOracle:
    """Returns an oracle that draws every trial independently."""
    del epochs
    return _Random(max_trials=trials, **common)


@gin.configurable(denylist=_FROM_SEARCH)
def bayesian(
    *,
    common: Mapping[str, Any],
    trials: int,
    epochs: int,
    random_trials: int | None = None,
    exploration: float = 2.6,
) -> SearchOracle:
    """Returns an oracle for Bayesian optimization: a Gaussian process over the trials so far, upper confidence bound.

    Args:
        common: Arguments of every oracle.
        trials: Number of trials.
        epochs: Not used.
        random_trials: Number of random trials at the beginning; None for three times the number of parameters.
        exploration: The larger, the farther from known trials it explores.
    """
    del epochs
    if random_trials is not None:
        check_int("bayesian.random_trials", random_trials, 1)
    check_number("bayesian.exploration", exploration, 0, 1e6)
    return _Bayesian(max_trials=trials, num_initial_points=random_trials, beta=exploration, **common)


@gin.configurable(denylist=_FROM_SEARCH)
def hyperband(
    *, common: Mapping[str, Any], trials: int, epochs: int, factor: int = 3, iterations: int = 1
) -> SearchOracle:
    """Returns an oracle for Hyperband (Li et al. 2018), which resumes the best of many short trials.

    Args:
        common: Arguments of every oracle.
        trials: Not used: the epochs and the factor determine the number of trials.
        epochs: Maximum number of epochs of a run.
        factor: The best `1 / factor` of each rung are resumed for `factor` times as many epochs.
        iterations: How often all brackets are run.
    """
    del trials
    check_int("hyperband.factor", factor, 2)
    check_int("hyperband.iterations", iterations, 1, MOST_ITERATIONS)
    if epochs < factor:
        raise UserError(
            f"hyperband.factor is {factor}, more than train.epochs, which is {epochs}. Give more epochs, or a smaller "
            "factor."
        )
    return _Hyperband(max_epochs=epochs, factor=factor, hyperband_iterations=iterations, **common)

"""A search, bound in gin: what its trials share, what they vary, what is sought and how."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from typing import Any

import gin
import keras_tuner
from keras_tuner.engine.trial import Trial

from rethink_keras import config as configuration
from rethink_keras.errors import UserError
from rethink_keras.experiments.searches import algorithms
from rethink_keras.experiments.searches.algorithms import Algorithm, InMemory
from rethink_keras.experiments.searches.objectives import DIRECTIONS
from rethink_keras.experiments.searches.space import Space
from rethink_keras.experiments.sweeps import sweep
from rethink_keras.experiments.sweeps.manifest import MOST_THREADS, PlannedRun
from rethink_keras.validation import check_call, check_choice, check_int, check_number, check_seed

TRIALS = "trials"  # the folder of their workdirs
MOST_TRIALS = 1_000_000
_PARSING = threading.Lock()  # gin has one configuration, and workers are threads


@gin.configurable("search")
@dataclasses.dataclass(frozen=True)
class Search:
    """What is searched and how. The parameters that vary are `Space`'s.

    Attributes:
        title: a line for people.
        base: gin files and bindings of all trials, as in `sweep`'s groups; `train.epochs` among them says how long
            a trial is.
        algorithm: `@random_search`, `@bayesian` or `@hyperband`.
        objective: 'train_accuracy', 'test_accuracy', 'train_loss', 'epochs_to_fit' or 'epochs_to_accuracy'.
        trials: how many; Hyperband decides that itself.
        seed: of the choice of trials.
        run_seed: of every trial's run.
        threads: of a trial; 'auto' divides the processor's cores among as many trials as there can be.
        retries: how many more times a trial is tried that failed in a way that may pass.
        patience_minutes: after so long without an answer from the chief a worker gives up.
    """

    title: str = "A search"
    base: Sequence[str] = ()
    algorithm: Algorithm = algorithms.random_search
    objective: str = "train_accuracy"
    trials: int = 10
    seed: int = 0
    run_seed: int = 0
    threads: int | str = "auto"
    retries: int = 2
    patience_minutes: float = 10.0

    def __post_init__(self):
        check_choice("search.objective", self.objective, list(DIRECTIONS))
        check_int("search.trials", self.trials, 1, MOST_TRIALS)
        check_int("search.retries", self.retries, 0, sweep.MOST_RETRIES)
        check_number("search.patience_minutes", self.patience_minutes, 0, 1e6)
        check_seed("search.seed", self.seed)
        check_seed("search.run_seed", self.run_seed)
        nothing = dict.fromkeys(("objective", "hyperparameters", "trials", "epochs", "seed"))
        check_call("search.algorithm", self.algorithm, **nothing)
        if self.threads != "auto":
            check_int("search.threads", self.threads, 1, MOST_THREADS)

    def oracle(self, space: Space, epochs: int) -> InMemory:
        """What chooses the trials, as gin's present configuration has it, for runs of so many epochs."""
        if self.algorithm.__name__ == "hyperband" and "train.epochs" in dict(space):
            raise UserError("Hyperband varies train.epochs itself. Take it out of the space.")
        oracle = self.algorithm(
            objective=keras_tuner.Objective(self.objective, DIRECTIONS[self.objective]),
            hyperparameters=space.hyperparameters(),
            trials=self.trials,
            epochs=epochs,
            seed=self.seed,
        )
        oracle.verbose = 0
        return oracle


@dataclasses.dataclass(frozen=True)
class Plan:
    """A search laid out.

    Attributes:
        search: what gin binds of it.
        space: what varies.
        template: the run that all trials are, without what varies.
        settings: all that another search would have different, as JSON's kinds.
    """

    search: Search
    space: Space
    template: PlannedRun
    settings: dict[str, Any]

    def bindings(self, trial: Trial) -> dict[str, str]:
        """What a trial binds, as gin texts by parameter."""
        return self.space.bindings(trial.hyperparameters.values)

    def run(self, trial: Trial) -> PlannedRun:
        """The run of a trial. One that goes on from another trial has that one's workdir."""
        values = trial.hyperparameters.values
        bound = self.bindings(trial)
        return dataclasses.replace(
            self.template,
            name=f"{TRIALS}/{int(values.get(algorithms.ROOT, trial.trial_id)):04d}",
            bindings=(*self.template.bindings, *(f"{name} = {text}" for name, text in bound.items())),
            epochs=int(bound.get("train.epochs", self.template.epochs)),
        )

    def fingerprint(self, trial: Trial) -> str:
        """SHA-256 (hex) of a trial's configuration; replaces gin's present configuration."""
        run = self.run(trial)
        with _PARSING:
            files, bindings = list(run.gin_files), list(run.bindings)
            made = sweep.planned(run.name, run.network, run.variant, run.seed, files, bindings, run.threads)
        return made.fingerprint

    def until(self, trial: Trial) -> int:
        """The epoch after which a trial ends."""
        return int(trial.hyperparameters.values.get(algorithms.EPOCHS, self.run(trial).epochs))


def lay_out(
    gin_files: Sequence[str], bindings: Sequence[str], threads: int, allow_imports: bool = False
) -> tuple[Plan, InMemory]:
    """The search of gin files and bindings, and the oracle of its trials; replaces gin's present configuration.

    Args:
        gin_files: that `bin/tune` was given.
        bindings: likewise.
        threads: of each trial.
        allow_imports: whether gin files may import modules from outside of this package.

    Raises:
        UserError: if the search is wrong, or a trial's configuration at some corner of the space.
    """
    configuration.parse(gin_files, bindings, allow_imports=allow_imports)
    search, space = Search(), Space()
    files, params = sweep.sorted_overlays(search.base, sweep.overlay_folders(gin_files))

    def planned(*more: str) -> PlannedRun:
        every = [*params, *more]
        return sweep.planned(TRIALS, "trial", "", search.run_seed, files, every, threads, allow_imports)

    template = planned()
    for corner in space.corners():
        try:
            planned(corner)
        except UserError as error:
            what = error.sentence.removeprefix(f"--gin_param='{corner}': ")
            raise UserError(f"The space holds {corner}, but {what}") from error
    planned()
    trial_configuration = configuration.resolved().splitlines()
    if configuration.bound("train.model", None) is None:
        raise UserError("The trials have no network. Put train.model = @mlp into search.base, for example.")
    every_epochs = "evaluation.every_epochs"
    if search.algorithm.__name__ == "hyperband" and (
        every_epochs in dict(space) or configuration.bound(every_epochs, 1) != 1
    ):
        raise UserError(
            f"Hyperband ends trials in mid-run, where they must be measured. Leave {every_epochs} out."
        )
    # The algorithm has bindings of its own.
    configuration.parse(gin_files, bindings, allow_imports=allow_imports)
    oracle = search.oracle(space, template.epochs)
    settings = {
        "algorithm": search.algorithm.__name__,
        "objective": search.objective,
        "options": {n: v for n, v in oracle.get_state().items() if isinstance(v, (int, float, type(None)))},
        "space": dict(space),
        "trial": trial_configuration,
        "threads": threads,
    }
    return Plan(search, space, template, settings), oracle

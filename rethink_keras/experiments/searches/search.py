"""A search, bound in gin: what its trials share, what they vary, the objective and the algorithm."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gin
import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras import config
from rethink_keras.errors import DamagedError, UserError
from rethink_keras.experiments.planned_run import MOST_THREADS, PlannedRun
from rethink_keras.experiments.planning import find_overlays, parsed, plan_run
from rethink_keras.experiments.searches import algorithms
from rethink_keras.experiments.searches.algorithms import Algorithm, SearchOracle
from rethink_keras.experiments.searches.objectives import DIRECTIONS, metrics_after
from rethink_keras.experiments.searches.space import Space
from rethink_keras.experiments.sweeps.sweep import MOST_RETRIES
from rethink_keras.validation import check_call, check_choice, check_int, check_number, check_seed
from rethink_keras.workdir.workdir import Workdir

TRIALS = "trials"  # the folder of their workdirs
MOST_TRIALS = 1_000_000


@gin.configurable("search")
@dataclasses.dataclass(frozen=True)
class Search:
    """What `search.*` binds. The parameters that vary are `Space`'s. Trials run on the machine of their worker.

    Attributes:
        title: A line for people.
        base: Gin files and bindings of all trials, as in a sweep's groups; `train.epochs` among them is the maximum
            number of epochs of a trial.
        algorithm: `@random_search`, `@bayesian` or `@hyperband`.
        objective: 'train_accuracy', 'test_accuracy', 'train_loss', 'epochs_to_fit' or 'epochs_to_accuracy'.
        trials: Number of trials; Hyperband determines it itself.
        seed: Seed of the choice of trials.
        run_seed: Seed of every trial's run.
        threads: Processor threads of a trial; 'auto' leaves them to the engine (`Engine.threads`).
        retries: How many more times a trial is tried whose failure may be temporary.
        patience_minutes: How long a worker waits for an answer from the chief.
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
        check_int("search.retries", self.retries, 0, MOST_RETRIES)
        check_number("search.patience_minutes", self.patience_minutes, 0, 1e6)
        check_seed("search.seed", self.seed)
        check_seed("search.run_seed", self.run_seed)
        check_call("search.algorithm", self.algorithm, common={}, trials=1, epochs=1)
        if self.threads != "auto":
            check_int("search.threads", self.threads, 1, MOST_THREADS)

    @property
    def is_hyperband(self) -> bool:
        """Whether trials end before their last epoch, and the best are resumed."""
        return self.algorithm.__name__ == "hyperband"

    def oracle(self, space: Space, epochs: int) -> SearchOracle:
        """Returns the oracle that chooses the trials, for runs of `epochs` epochs at most."""
        if self.is_hyperband and "train.epochs" in dict(space):
            raise UserError("Hyperband varies train.epochs itself. Take it out of the space.")
        common = {
            "objective": keras_tuner.Objective(self.objective, DIRECTIONS[self.objective]),
            "hyperparameters": space.hyperparameters(),
            "seed": self.seed + 1,  # Keras Tuner takes 0 for a random seed
            "max_consecutive_failed_trials": None,  # a failed trial never stops a search
            "allow_new_entries": False,
            "tune_new_entries": False,
        }
        oracle = self.algorithm(common=common, trials=self.trials, epochs=epochs)
        oracle.verbose = 0
        return oracle


@dataclasses.dataclass(frozen=True)
class SearchPlan:
    """A search whose configuration was parsed and checked.

    Attributes:
        search: Its gin object.
        space: What varies.
        template: The run of every trial, without what varies.
        settings: Everything in which another search would differ, as JSON types.
        oracle: Chooses the trials.
    """

    search: Search
    space: Space
    template: PlannedRun
    settings: dict[str, Any]
    oracle: SearchOracle

    @functools.cached_property
    def costs(self) -> list[int]:
        """The maximum number of epochs of each trial that there can be."""
        return self.oracle.costs(self.template.epochs)

    def bindings(self, trial: Trial) -> dict[str, str]:
        """Returns the bindings of a trial, as gin texts by parameter."""
        return self.space.bindings(trial.hyperparameters.values)

    def in_short(self, trial: Trial) -> str:
        """Returns what a trial binds, as one line."""
        return ", ".join(f"{name} = {text}" for name, text in self.bindings(trial).items())

    def run(self, trial: Trial) -> PlannedRun:
        """Returns the run of a trial, without its fingerprint. A trial that resumes another one has its workdir."""
        values = trial.hyperparameters.values
        bound = self.bindings(trial)
        return dataclasses.replace(
            self.template,
            name=f"{TRIALS}/{int(values.get(algorithms.ROOT, trial.trial_id)):04d}",
            bindings=(*self.template.bindings, *(f"{name} = {text}" for name, text in bound.items())),
            epochs=int(bound.get("train.epochs", self.template.epochs)),
        )

    def checked_run(self, trial: Trial) -> PlannedRun:
        """Returns the run of a trial with the fingerprint of its configuration, which is parsed for that."""
        run = self.run(trial)
        with parsed(run):
            return dataclasses.replace(run, fingerprint=config.fingerprint())

    def last_epoch(self, trial: Trial) -> int:
        """Returns the epoch after which a trial ends."""
        return int(trial.hyperparameters.values.get(algorithms.EPOCHS, self.run(trial).epochs))

    def measured(self, trial: Trial, folder: Path) -> tuple[dict[str, Any], str]:
        """Returns the metrics of a trial that is done, from its workdir in a folder; else none, and why."""
        workdir = Workdir(folder / self.run(trial).name)
        if trial.status != TrialStatus.COMPLETED:
            return {}, workdir.read_failure()
        try:
            return metrics_after(workdir.read(), self.last_epoch(trial)), ""
        except DamagedError as error:
            return {}, str(error)


def plan_search(
    search: Search,
    space: Space,
    gin_files: Sequence[str],
    threads: int,
    allow_imports: bool = False,
    data_dir: str | None = None,
) -> SearchPlan:
    """Returns the plan of a search.

    Args:
        search: The search.
        space: What varies.
        gin_files: Gin files of `bin/tune`, beside which those of `search.base` are looked up.
        threads: Processor threads of each trial.
        allow_imports: Whether gin files may import modules from outside of this package.
        data_dir: TFDS data folder; None leaves it to TFDS.

    Raises:
        UserError: The search is wrong, or the configuration of a trial at a corner of the space.
    """
    files, params = find_overlays(search.base, gin_files)

    seed = search.run_seed
    template = plan_run(
        PlannedRun(TRIALS, "trial", "", seed, files, params, threads=threads, allow_imports=allow_imports),
        data_dir,
    )
    for corner in space.corners():
        try:
            plan_run(dataclasses.replace(template, bindings=(*params, corner)), data_dir)
        except UserError as error:
            what = error.sentence.removeprefix(f"--gin_param='{corner}': ")
            raise UserError(f"The space contains {corner}, but {what}") from error
    trial = _check_template(search, space, template)
    oracle = search.oracle(space, template.epochs)
    settings = {
        "algorithm": search.algorithm.__name__,
        "objective": search.objective,
        "options": {n: v for n, v in oracle.get_state().items() if isinstance(v, (int, float, type(None)))},
        "space": dict(space),
        "trial": trial.splitlines(),
        "threads": threads,
    }
    return SearchPlan(search, space, template, settings, oracle)


def _check_template(search: Search, space: Space, template: PlannedRun) -> str:
    """Checks that trials can be trained and measured. Returns their configuration, without what varies."""
    every_epochs = "evaluation.every_epochs"
    with parsed(template):
        if config.bound("train.model", None) is None:
            raise UserError(
                "The trials have no network. Put train.model = @mlp into search.base, for example."
            )
        rarely = every_epochs in dict(space) or config.bound(every_epochs, 1) != 1
        if search.is_hyperband and rarely:
            raise UserError(
                f"Hyperband ends trials early, after epochs that must be evaluated. Leave {every_epochs} out."
            )
        return config.resolved()

"""Bindings that no gin file of this project has."""

from __future__ import annotations

from random import Random

from tests.fuzz import contents

DATA_NAMES = (
    *("dataset.name", "dataset.train_examples", "dataset.test_examples", "preprocessing.crop", "train.seed"),
    *(
        "preprocessing.normalization",
        "randomization.labels",
        "randomization.pixels",
        "randomization.corruption",
    ),
    *(
        "randomization.fraction",
        "randomization.permute",
        "randomization.seed",
        "randomization.randomize_test_labels",
    ),
)
SWEEP_NAMES = (
    *(
        "sweep.paper_result",
        "sweep.size",
        "sweep.title",
        "sweep.groups",
        "sweep.overlays",
        "sweep.seeds",
        "sweep.threads",
    ),
    *("sweep.retries", "sweep.engine", "mlp/group.network", "mlp/group.base", "mlp/group.axes", "local.jobs"),
    *("train.epochs", "local.runs_per_gpu"),
)
SEARCH_NAMES = (
    *("search.title", "search.base", "search.algorithm", "search.objective", "search.trials", "search.seed"),
    *("search.run_seed", "search.threads", "search.retries", "search.patience_minutes", "space.choice"),
    *("space.uniform", "space.log_uniform", "space.integer", "bayesian.exploration", "hyperband.factor"),
)
NAMES = (
    *DATA_NAMES,
    *SWEEP_NAMES,
    *SEARCH_NAMES,
    "train.model",
    "train.epochs",
    "mlp.hidden",
    "mlp.gain",
    "os.system",
)


def odd_binding(rng: Random, names: tuple[str, ...] = NAMES) -> str:
    """A gin binding that no gin file of ours has."""
    return f"{rng.choice(names)} = {contents.gin_value(rng)}"

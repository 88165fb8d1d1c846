"""Sweeps written by hand: what a sweep's folder holds, without training anything."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from absl.testing import parameterized

from rethink_keras.experiments.planned_run import PlannedRun
from rethink_keras.experiments.sweeps.manifest import Manifest
from rethink_keras.reports.collect import collect
from rethink_keras.reports.paper_results import PAPER_RESULTS
from rethink_keras.reports.tables import KINDS
from rethink_keras.reports.tabulation import tabulate
from rethink_keras.workdir.workdir import Workdir

STEPS = 391


class FolderTestCase(parameterized.TestCase):
    """Has a new `folder` for each test."""

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path)

    def tables(self):
        """The table and the paper result of each sweep in the folder, by the result's name."""
        found = {}
        for record in collect(self.folder).sweeps:
            paper_result = PAPER_RESULTS[record.manifest.paper_result]()
            found[record.manifest.paper_result] = tabulate(record, paper_result), paper_result
        return found

    def table(self):
        """The table of the only sweep in the folder."""
        [(table, _)] = self.tables().values()
        return table

    def plots(self):
        """The plots of the only sweep in the folder."""
        [(table, paper_result)] = self.tables().values()
        return paper_result.plots(table)

    def one_cell(self, paper_result, network, variant, accuracies, size="full", **changes):
        """Writes a sweep of one cell, with a run for each test accuracy; returns its folder and plans."""
        plans = [plan(network, variant, seed) for seed in range(len(accuracies))]
        folder = sweep(self.folder / paper_result, paper_result, plans, size)
        for planned, accuracy in zip(plans, accuracies, strict=True):
            run(folder, planned, rows(4, (0.999, accuracy)), **changes)
        return folder, plans


def row_of(table, network, variant):
    """The row of a network and variant."""
    return next(row for row in table.rows if (row.network, row.variant) == (network, variant))


def texts(row):
    """All kinds of text of each value of a row."""
    return [[value.text(kind) for kind in KINDS] for value in row.values]


VERSIONS = {
    "python": "3.11.7",
    "keras": "3.15.1",
    "tensorflow": "2.21.0",
    "numpy": "2.4.6",
    "rethink_keras": "0.1.0+0123456789ab",
}
CONFIG = """# Parameters for dataset:
# ==============================================================================
dataset.name = 'cifar10'

# Parameters for train:
# ==============================================================================
train.epochs = {epochs}
train.seed = {seed}
"""


def plan(network: str, variant: str, seed: int = 0, epochs: int = 4) -> PlannedRun:
    """A run as a sweep plans it."""
    return PlannedRun(
        f"{network}/{variant}/seed_{seed}",
        network,
        variant,
        seed,
        (f"gin/table1_{network}.gin",),
        (f"train.epochs = {epochs}",),
        epochs,
        epochs * 50_000,
    )


def sweep(folder: Path, paper_result: str, runs: Sequence[PlannedRun], size: str = "full") -> Path:
    """Writes sweep.json; returns the folder."""
    folder.mkdir(parents=True)
    title = f"{paper_result} in {size} size"
    Manifest(paper_result, size, title, (f"gin/sweeps/{paper_result}.gin",), (), tuple(runs)).write(folder)
    return folder


def rows(
    epochs: int, accuracy: Sequence[float] | Callable[[int], tuple[float, float]], fit: int | None = None
) -> list[dict]:
    """Rows of metrics.csv: a loss that falls to 0.05 at epoch `fit`, and accuracies (train, test) at the end."""
    made = []
    for epoch in range(1, epochs + 1):
        loss = 2.3 * math.exp(-epoch / (fit or 4 * epochs) * math.log(2.3 / 0.05)) if fit != epoch else 0.05
        train, test = accuracy(epoch) if callable(accuracy) else accuracy
        made.append(
            {
                "epoch": epoch,
                "step": epoch * STEPS,
                "train_loss": loss,
                "train_accuracy": train,
                "test_loss": 1.5,
                "test_accuracy": test,
                "learning_rate": 0.01,
                "seconds": 3.0,
                "train_metrics": "fixed_weights",
                "running_loss": loss * 1.2,
                "running_accuracy": train - 0.01,
                "penalty": 0.0,
            }
        )
    return made


def run(folder: Path, planned: PlannedRun, made: list[dict], status: str = "done", **changes: Any) -> Path:
    """Writes a run's workdir; `changes` replace what summary.json says. Returns its folder."""
    place = folder / planned.name
    place.mkdir(parents=True)
    (place / "config.gin").write_text(CONFIG.format(epochs=planned.epochs, seed=planned.seed))
    write_metrics(place, made)
    summary = {"status": status, "date": "2026-11-22", **_figures(made), **_facts(planned), **changes}
    (place / "summary.json").write_text(json.dumps(summary))
    return place


def write_metrics(place: Path, made: list[dict]) -> None:
    """Writes metrics.csv."""
    Workdir(place).write_metrics(made)


def _figures(made: list[dict]) -> dict[str, Any]:
    if not made:
        return {"epochs": 0}
    best = max(made, key=lambda row: row["test_accuracy"])
    names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    final = {name: made[-1][name] for name in names}
    brackets = {"test_accuracy": best["test_accuracy"], "epoch": best["epoch"]}
    if "test_top5_accuracy" in made[-1]:
        final |= {name: made[-1][name] for name in ("train_top5_accuracy", "test_top5_accuracy")}
        brackets |= {
            "test_top5_accuracy": max(row["test_top5_accuracy"] for row in made),
            "top5_epoch": best["epoch"],
        }
    fitted = next((row["epoch"] for row in made if row["train_loss"] <= 0.05), None)
    return {
        "epochs": len(made),
        "steps": made[-1]["step"],
        "final": final,
        "best_on_the_way": brackets,
        "epochs_to_fit": fitted,
        "epochs_to_accuracy": fitted,
        "fit_loss": 0.05,
        "fit_accuracy": 0.999,
        "train_metrics": "fixed_weights",
        "seconds": 12.0,
    }


def _facts(planned: PlannedRun) -> dict[str, Any]:
    labels = "random" if "random_labels" in planned.variant else "true"
    return {
        "seed": planned.seed,
        "model": planned.network,
        "dataset": "cifar10",
        "train_examples": 50_000,
        "test_examples": 10_000,
        "randomization": {"labels": labels, "pixels": "true", "corruption": None, "seed": planned.seed},
        "trainable_parameters": 1_209_866,
        "fingerprints": {
            name: hashlib.sha256(name.encode()).hexdigest() for name in ("train_data", "test_data")
        },
        "versions": VERSIONS,
        "device": "A made-up processor, 2 cores",
    }


def all_kinds(folder: Path) -> None:
    """Sweeps of some kinds, full and small, with runs of every kind; a mixed cell; a run outside any sweep."""
    plans = [
        plan(network, variant, seed)
        for network, variant in (("alexnet", "plain"), ("mlp_1x512", "plain"), ("mlp_1x512", "random_labels"))
        for seed in range(3)
    ]
    table = sweep(folder / "table1", "table1", plans)
    run(table, plans[0], rows(2, (0.5, 0.4)), "running")
    run(table, plans[1], rows(1, (0.1, 0.1)), "diverged")
    for number, planned in enumerate(plans[3:6]):
        run(table, planned, rows(4, lambda epoch, n=number: (1.0, 0.505 + 0.01 * n + 0.02 * (epoch == 2))))
    (table / plans[5].name / "summary.json").write_text("{")
    for planned in plans[6:]:
        code = "0123456789ab" if planned.seed else "fedcba987654"
        versions = {**VERSIONS, "rethink_keras": f"0.1.0+{code}"}
        run(table, planned, rows(4, (0.993, 0.2)), versions=versions)
    figure = [
        plan("inception", variant, seed) for variant in ("true_labels", "random_labels") for seed in range(2)
    ]
    losses = sweep(folder / "figure1a", "figure1a", figure)
    for planned in figure[:3]:
        run(losses, planned, rows(4, (1.0, 0.8), fit=3 + planned.seed))
    small = [plan("mlp_1x512", f"corruption_{level}") for level in ("0.0", "0.5", "1.0")]
    levels = sweep(folder / "small" / "figure1b_1c", "figure1b_1c", small, "small")
    for number, planned in enumerate(small):
        run(levels, planned, rows(4, (1.0, 0.4), fit=(2, 3, None)[number]), train_examples=500)
    run(folder / "single", plan("mlp_1x512", "plain"), rows(4, (1.0, 0.5)))

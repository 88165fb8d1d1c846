"""The content of `summary.json`."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import keras
import numpy as np

from rethink_keras import config as gin_config
from rethink_keras.training import provenance
from rethink_keras.training.config import RunConfig
from rethink_keras.training.data import Data
from rethink_keras.training.distribution.workers import Workers
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.regularization import ResolvedRegularization
from rethink_keras.training.run import Run
from rethink_keras.workdir.columns import MetricsRow
from rethink_keras.workdir.metrics import first_epoch

_FINAL = [f"{split}_{name}" for split in ("train", "test") for name in ("loss", "accuracy", "top5_accuracy")]


class RunSummary:
    """Writes `summary.json` of a run.

    Args:
        run: The run.

    Attributes:
        run: The run.
        content: As last written.
    """

    def __init__(self, run: Run):
        self.content: dict[str, Any] = {}
        self.run = run

    def write(self, status: str, **more: Any) -> dict[str, Any]:
        """Writes status, metrics, facts and `more`, which replaces facts of the same name, and returns them all."""
        state = self.run.state
        self.content = {
            "status": status,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            **final_metrics(state.rows, self.run.config.evaluation),
            **self.run.facts,
            "computed_by": state.versions,
            **more,
        }
        self.run.folder.write_summary(self.content)
        return self.content


def facts_of_run(
    config: RunConfig,
    data: Data,
    regularization: ResolvedRegularization,
    network: keras.Model,
    workers: Workers,
) -> dict[str, Any]:
    """Returns the part of `summary.json` that is known before training."""
    train, randomization = data.splits.train, data.splits.randomization
    return {
        "seed": config.train.seed,
        "configuration": gin_config.fingerprint(),
        "model": network.name,
        "dataset": train.name,
        "train_examples": train.num_examples,
        "test_examples": data.splits.test.num_examples,
        "randomization": dataclasses.asdict(randomization),
        "explicit_regularization": regularization.explicit,
        "trainable_parameters": sum(int(np.prod(w.shape)) for w in network.trainable_weights),
        "fingerprints": {
            "train_data": train.fingerprint,
            "test_data": data.splits.test.fingerprint,
            "randomization": randomization.fingerprint(train.num_classes),
            "epoch_order": provenance.fingerprint([data.train.order(epoch) for epoch in range(2)]),
        },
        **provenance.environment(),
        "workers": workers.shard.workers,
    }


def final_metrics(rows: list[MetricsRow], evaluation: Evaluation) -> dict[str, Any]:
    """Returns the final and best metrics of the epochs so far.

    The best test accuracy on the way is kept apart from the final one and never decides anything.
    """
    if not rows:
        return {"epochs": 0}
    last = rows[-1]
    best_on_the_way = _best(rows, "test_accuracy", "epoch")
    if evaluation.top5:
        best_on_the_way |= _best(rows, "test_top5_accuracy", "top5_epoch")
    return {
        "epochs": last["epoch"],
        "steps": last["step"],
        "final": {name: last[name] for name in _FINAL if name in last},
        "best_on_the_way": best_on_the_way,
        "epochs_to_fit": first_epoch(rows, evaluation.fitted),
        "epochs_to_accuracy": first_epoch(rows, evaluation.accurate),
        "fit_loss": evaluation.fit_loss,
        "fit_accuracy": evaluation.fit_accuracy,
        "train_metrics": evaluation.train_metrics,
        "batch_norm": last.get("batch_norm"),
        "seconds": round(sum(row.get("seconds", 0.0) for row in rows), 3),
    }


def _best(rows: list[MetricsRow], metric: str, epoch: str) -> dict[str, Any]:
    """Returns the best value of a metric and its epoch, under the two names."""
    best = max(rows, key=lambda row: row[metric])
    return {metric: best[metric], epoch: best["epoch"]}

"""Plans runs: reads and checks the configuration of each before anything is trained."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rethink_keras import config
from rethink_keras.data.sources import Dataset, find_source
from rethink_keras.experiments.paths import ROOT, stored_path
from rethink_keras.experiments.planned_run import PlannedRun
from rethink_keras.training.config import TrainConfig
from rethink_keras.training.schedules import MOST_EPOCHS
from rethink_keras.validation import check_int


def parsed(run: PlannedRun, *more: str) -> contextlib.AbstractContextManager[None]:
    """Returns a context in which the configuration of a run, with more bindings, is the present one.

    Raises:
        UserError: The configuration is wrong.
    """
    files = [ROOT / file for file in run.gin_files]
    bindings = [*run.bindings, *more, f"train.seed = {run.seed}"]
    return config.parsed(files, bindings, allow_imports=run.allow_imports)


def plan_run(run: PlannedRun) -> PlannedRun:
    """Returns a run with its costs and its fingerprint, from its configuration, which is parsed and checked.

    Raises:
        UserError: The configuration is wrong.
    """
    with parsed(run):
        dataset = config.bound("dataset.name", config.default(Dataset, "name"))
        epochs = config.bound("train.epochs", config.default(TrainConfig, "epochs"))
        examples = config.bound("dataset.train_examples", None)
        fingerprint = config.fingerprint()
    source = find_source("dataset.name", dataset)
    check_int("train.epochs", epochs, 1, MOST_EPOCHS)
    if examples is None:
        examples = source.train_examples
    check_int("dataset.train_examples", examples, 1)
    return dataclasses.replace(run, epochs=epochs, images=epochs * examples, fingerprint=fingerprint)


def find_overlays(
    overlays: Sequence[str], gin_files: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns gin files and bindings of a list that mixes both; what ends in '.gin' is a file.

    Args:
        overlays: Names of gin files, and bindings.
        gin_files: Paths of the gin files of the command. Overlays are looked up beside them, then in this package.

    Raises:
        UserError: There is no such gin file.
    """
    folders = [Path(file).resolve().parent for file in gin_files]
    files = tuple(
        stored_path(config.find_gin_file(overlay, folders, named_by="the sweep or search"))
        for overlay in overlays
        if overlay.endswith(".gin")
    )
    return files, tuple(overlay for overlay in overlays if not overlay.endswith(".gin"))

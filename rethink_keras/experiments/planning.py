"""Plans runs: reads and checks the configuration of each before anything is trained."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rethink_keras import config
from rethink_keras.data.sources import Dataset
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


def plan_run(run: PlannedRun, data_dir: str | None = None) -> PlannedRun:
    """Returns a run with its costs and its fingerprint, from its configuration, which is parsed and checked.

    Files of data that the configuration names relative to the present folder are bound by absolute paths, so that the
    run finds them on every machine and when the sweep is resumed from another folder.

    Args:
        run: The run.
        data_dir: TFDS data folder, from which the size of a data set may have to be read; None leaves it to TFDS.

    Raises:
        UserError: The configuration is wrong.
        DataNotAvailableError: A file of data that it names is missing or damaged.
    """
    with parsed(run):
        dataset = Dataset(data_dir=data_dir)
    run = dataclasses.replace(run, bindings=(*run.bindings, *dataset.source.bindings))
    with parsed(run):
        epochs = config.bound("train.epochs", config.default(TrainConfig, "epochs"))
        fingerprint = config.fingerprint()
    check_int("train.epochs", epochs, 1, MOST_EPOCHS)
    examples = dataset.train_examples or dataset.source.train_examples
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

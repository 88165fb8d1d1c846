"""Plans runs: reads and checks the configuration of each before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rethink_keras import config
from rethink_keras.data.sources import Dataset, find_source
from rethink_keras.errors import UserError
from rethink_keras.experiments.paths import ROOT, stored_path
from rethink_keras.experiments.planned_run import PlannedRun
from rethink_keras.training.config import TrainConfig
from rethink_keras.training.schedules import MOST_EPOCHS
from rethink_keras.validation import check_int


def plan_run(
    name: str,
    network: str,
    variant: str,
    seed: int,
    gin_files: Sequence[str],
    bindings: Sequence[str],
    threads: int,
    allow_imports: bool = False,
) -> PlannedRun:
    """Returns a run whose configuration was parsed and checked. The present configuration stays.

    Args:
        name: Its folder relative to the sweep's.
        network: Row of a table or curve of a plot.
        variant: What differs in network or data.
        seed: Seed of the run.
        gin_files: Gin files, relative to the project's folder or absolute.
        bindings: Bindings, which override the files.
        threads: Processor threads; 0 for all.
        allow_imports: Whether gin files may import modules from outside of this package.

    Raises:
        UserError: The configuration is wrong.
    """
    files = [ROOT / file for file in gin_files]
    with config.parsed(files, [*bindings, f"train.seed = {seed}"], allow_imports=allow_imports):
        dataset = config.bound("dataset.name", config.default(Dataset, "name"))
        epochs = config.bound("train.epochs", config.default(TrainConfig, "epochs"))
        examples = config.bound("dataset.train_examples", None)
        fingerprint = config.fingerprint()
    source = find_source("dataset.name", dataset)
    check_int("train.epochs", epochs, 1, MOST_EPOCHS)
    if examples is None:
        examples = source.train_examples
    check_int("dataset.train_examples", examples, 1)
    return PlannedRun(
        name=name,
        network=network,
        variant=variant,
        seed=seed,
        gin_files=tuple(gin_files),
        bindings=tuple(bindings),
        epochs=epochs,
        images=epochs * examples,
        threads=threads,
        fingerprint=fingerprint,
        allow_imports=allow_imports,
    )


def find_overlays(overlays: Sequence[str], gin_files: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns gin files and bindings of a list that mixes both; what ends in '.gin' is a file.

    Args:
        overlays: Names of gin files, and bindings.
        gin_files: Gin files of the command. Overlays are looked up beside them, then in the project's folder gin/.

    Raises:
        UserError: There is no such gin file.
    """
    folders = [*(Path(file).resolve().parent for file in gin_files), ROOT / "gin"]
    files = [_found(overlay, folders) for overlay in overlays if overlay.endswith(".gin")]
    return files, [overlay for overlay in overlays if not overlay.endswith(".gin")]


def _found(name: str, folders: Sequence[Path]) -> str:
    for folder in folders:
        path = (folder / name).resolve()
        if path.is_file():
            return stored_path(path)
    raise UserError(f"The gin file {name} is in none of {', '.join(map(str, folders))}. Correct its name.")

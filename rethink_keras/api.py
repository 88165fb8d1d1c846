"""One training run from Python or a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rethink_keras import config
from rethink_keras.system import nvidia
from rethink_keras.training.config import RunConfig
from rethink_keras.training.train import Result, train
from rethink_keras.workdir.workdir import default_workdir


def run(
    gin_files: Sequence[str | Path] = (),
    bindings: Sequence[str] = (),
    workdir: str | Path | None = None,
    *,
    data_dir: str | Path | None = None,
    overwrite: bool = False,
    allow_imports: bool = False,
) -> Result:
    """Trains one network in this process, as `bin/train` does.

    Args:
        gin_files: Gin files. A later one overrides an earlier one.
        bindings: Such as 'train.epochs = 3'. They override the files.
        workdir: Folder of the run; None for `default_workdir(gin_files)`.
        data_dir: TFDS data folder; None for TFDS's own.
        overwrite: Whether to move an earlier run in the workdir aside.
        allow_imports: Whether gin files may import modules from outside of this package, which runs their code.

    Returns:
        The history (a row for each measured epoch) and the summary.

    Raises:
        UserError: See `rethink_keras.errors` for its kinds.
    """
    if nvidia.Driver().is_installed:
        nvidia.preload_cusolver()
    config.parse(gin_files, bindings, allow_imports=allow_imports)
    try:
        folder = workdir or default_workdir(gin_files)
        return train(RunConfig.from_gin(data_dir), workdir=folder, overwrite=overwrite)
    finally:
        config.clear()

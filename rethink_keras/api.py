"""One training run from Python or a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rethink_keras import config
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
    """Does what `bin/train` does, in this process.

    Args:
        gin_files: in order; a later one wins.
        bindings: such as 'train.epochs = 3', after the files.
        workdir: folder of the run; None is `default_workdir(gin_files)`.
        data_dir: TFDS data folder; None leaves it to TFDS.
        overwrite: moves an earlier run in the workdir aside.
        allow_imports: whether gin files may import modules from outside of this package, which runs their code.

    Returns:
        The history (a row for each measured epoch) and the summary.

    Raises:
        UserError: and its kinds, see `rethink_keras.errors`.
    """
    config.parse(gin_files, bindings, allow_imports=allow_imports)
    try:
        folder = workdir or default_workdir(gin_files)
        return train(RunConfig.from_gin(data_dir), workdir=folder, overwrite=overwrite)
    finally:
        config.clear()

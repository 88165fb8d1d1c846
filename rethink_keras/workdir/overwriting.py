"""What --overwrite does: moves an earlier run aside. It refuses to move anything that is not a run."""

from __future__ import annotations

import fnmatch
import itertools
import shutil
from pathlib import Path

from rethink_keras.errors import UserError
from rethink_keras.system.files import PARTIAL
from rethink_keras.system.locks import LOCK
from rethink_keras.workdir.workdir import Workdir

_FOLDERS = ("checkpoints", "tensorboard", "wandb")
# Files of a run that has no configuration yet: the log of a sweep, and what a failed start leaves.
_WITHOUT_CONFIGURATION = {LOCK, ".writable", "train.log", "failed.txt"}
_FILES = {
    *_WITHOUT_CONFIGURATION,
    *("config.gin", "metrics.csv", "summary.json", "model.keras", ".model.partial.keras"),
    *("confusion.json", "curves.png"),
    *("alpha.npy", "curve.png", "distance.png"),  # Of the experiments of sections 4 and 5.
}
_OTHER_RUNS = {LOCK, "config.gin", "summary.json", "sweep.json", "search.json", ".git"}
_SHOWN = 3


def check_replaceable(workdir: Workdir) -> None:
    """Checks that a workdir contains a run of this project and nothing else, so that it may be moved.

    Raises:
        UserError: There are other files, other runs below, or no run.
    """
    path = workdir.path
    if not workdir.writes or not path.is_dir():
        return
    names = {item.name for item in path.iterdir() if not _is_empty_folder(item)}
    foreign = sorted(n for n in names if n not in {*_FOLDERS, *_FILES} and not fnmatch.fnmatch(n, PARTIAL))
    for folder in _FOLDERS:
        below = (path / folder).rglob("*")
        foreign += sorted(str(item.relative_to(path)) for item in below if item.name in _OTHER_RUNS)
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise UserError(
            f"--overwrite moves a single run aside, and {path} holds {', '.join(foreign[:_SHOWN])}{more}. "
            "Name another --workdir, or move these files yourself."
        )
    if names - _WITHOUT_CONFIGURATION and workdir.config.name not in names:
        raise UserError(
            f"--overwrite moves a run aside, and {path} holds none: there is no {workdir.config.name}. "
            "Name another --workdir, or move the files yourself."
        )


def set_aside(workdir: Workdir) -> None:
    """Moves an earlier run to a folder beside it, named with a number, and prints its path.

    The workdir must be locked. Call it once it is known that a new run can begin.

    Raises:
        UserError: The folder contains anything else; see `check_replaceable`.
    """
    if not workdir.writes:
        return
    check_replaceable(workdir)
    items = [item for item in workdir.path.iterdir() if item.name != LOCK]
    if all(map(_is_empty_folder, items)):
        return
    path = workdir.path.resolve()
    names = (path.with_name(f"{path.name}.old-{number}") for number in itertools.count(1))
    aside = next(folder for folder in names if not folder.exists())
    aside.mkdir()
    for item in items:
        shutil.move(item, aside / item.name)
    workdir.checkpoints.mkdir()
    print(f"The earlier run is in {aside} now.", flush=True)


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())

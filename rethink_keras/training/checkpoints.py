"""Checkpoints: every variable of a run and its `RunState`, in one file that is whole or not there.

A checkpoint is a numpy archive without pickled objects: reading one never executes anything. It holds what
Keras's own files leave out and exact resuming needs: the optimizer, the states of dropout's seed generators and
the metrics' running sums in mid-epoch. The archive's own CRC-32 of each array tells a damaged one, which is
renamed; one that cannot be read at the moment is left alone.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import gin
import numpy as np
import tensorflow as tf

from rethink_keras.errors import UserError
from rethink_keras.system.archives import DamagedError, read_arrays
from rethink_keras.system.files import open_atomically
from rethink_keras.training.distribution.workers import SINGLE_WORKER, Workers
from rethink_keras.training.state import RunState
from rethink_keras.validation import check_int, check_number

_NAME = re.compile(r"epoch-(\d{5,})-step-(\d{7,})\.npz")
_STATE = "state"
Content: TypeAlias = tuple[list[np.ndarray], RunState]


@gin.configurable("checkpoints")
@dataclasses.dataclass(frozen=True)
class CheckpointPolicy:
    """When checkpoints are written and which are kept.

    Attributes:
        every_epochs: after each so-many-th epoch, and after the last.
        every_minutes: also in mid-epoch, after so many minutes without one; 0 for none.
        keep_last: the newest so many are kept.
        keep_every: and those after every so-many-th epoch; 0 for none.
    """

    every_epochs: int = 1
    every_minutes: float = 10.0
    keep_last: int = 2
    keep_every: int = 0

    def __post_init__(self):
        for name, least in (("every_epochs", 1), ("keep_last", 1), ("keep_every", 0)):
            check_int(f"checkpoints.{name}", getattr(self, name), least)
        check_number("checkpoints.every_minutes", self.every_minutes, 0, 1e6)


class Checkpoints:
    """The checkpoints of one run.

    Args:
        folder: where they lie.
        variables: Keras variables, always in the same order.
        keep_last: so many of the newest are kept.
        keep_every: and those of every so-many-th epoch; 0 for none.
        workers: the workers of the run; the chief writes, and all restore the same.
    """

    def __init__(
        self,
        folder: Path,
        variables: Sequence,
        keep_last: int = 2,
        keep_every: int = 0,
        workers: Workers = SINGLE_WORKER,
    ):
        self._folder = folder
        self._variables = variables
        self._keep_last = keep_last
        self._keep_every = keep_every
        self._workers = workers

    def save(self, state: RunState) -> None:
        """Writes variables and state, then drops what need not be kept."""
        # Every worker reads the variables: those of metrics are summed over all of them in being read.
        arrays = {f"{k:05d}": np.asarray(v) for k, v in enumerate(self._variables)}
        arrays[_STATE] = np.frombuffer(state.to_json().encode(), np.uint8)
        with self._workers.barrier():
            if self._workers.is_chief:
                self._write(self._path(state.epoch, state.step), arrays)

    def restore_newest(self) -> RunState | None:
        """Restores the newest whole checkpoint; a damaged one is reported and the one before it taken.

        Returns:
            Its state; None if there is no checkpoint at all.

        Raises:
            UserError: if all are damaged, one is of another model, or this worker cannot read the chief's.
            DiskError: if one cannot be read, for whatever reason; no older one is taken then.
        """
        found = None
        with self._workers.barrier():
            if self._workers.is_chief:
                found = self._read_newest()
        position = (found[1].epoch, found[1].step) if found else (-1, -1)
        epoch, step = (self._workers.broadcast(number) for number in position)
        with self._workers.barrier():
            if epoch >= 0 and not found:
                found = self._read_the_chiefs(self._path(epoch, step))
        if not found:
            return None
        arrays, state = found
        self._assign(self._path(epoch, step), arrays)
        return state

    def _write(self, path: Path, arrays: dict[str, np.ndarray]) -> None:
        with open_atomically(path) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        self._drop_old(path)

    def _read_newest(self) -> Content | None:
        paths = self.paths()
        for path in reversed(paths):
            try:
                return _read(path)
            except DamagedError as error:
                logging.warning("The checkpoint %s is damaged (%s); taking the one before it.", path, error)
                path.rename(path.with_name(f"{path.name}.damaged"))  # not one of the last N any more
        if any(self._folder.glob("*.damaged")):
            raise UserError(
                f"Every checkpoint in {self._folder} is damaged. Start afresh with --overwrite, "
                "or name another --workdir."
            )
        return None

    def paths(self) -> list[Path]:
        """All checkpoints, oldest first."""
        return sorted((p for p in self._folder.iterdir() if _NAME.fullmatch(p.name)), key=_position)

    def _read_the_chiefs(self, path: Path) -> Content:
        try:
            return _read(path)
        except (OSError, UserError, DamagedError) as error:
            raise UserError(
                f"This worker cannot read {path}, from which the chief goes on. Name a --workdir in a folder that "
                "all workers share."
            ) from error

    def _path(self, epoch: int, step: int) -> Path:
        return self._folder / f"epoch-{epoch:05d}-step-{step:07d}.npz"

    def _assign(self, path: Path, arrays: list[np.ndarray]) -> None:
        """Gives the variables their values; all workers at once, for those of metrics are read in being assigned."""
        expected = [(tuple(v.shape), tf.as_dtype(v.dtype).as_numpy_dtype) for v in self._variables]
        if [(a.shape, a.dtype) for a in arrays] != expected:
            raise UserError(
                f"The checkpoint {path} is of another model: its variables have other shapes. "
                "Name another --workdir, or start afresh with --overwrite."
            )
        for variable, array in zip(self._variables, arrays, strict=True):
            variable.assign(array)

    def _drop_old(self, new: Path) -> None:
        for path in self.paths()[: -self._keep_last]:
            epoch, step = _position(path)
            if path != new and not (self._keep_every and step == 0 and epoch % self._keep_every == 0):
                path.unlink(missing_ok=True)


def _position(path: Path) -> tuple[int, int]:
    """Epoch and step of a checkpoint, by its name; names of any length sort by them."""
    epoch, step = _NAME.findall(path.name)[0]
    return int(epoch), int(step)


def _read(path: Path) -> Content:
    arrays = read_arrays(path)
    try:
        state = RunState.from_json(arrays.pop(_STATE).tobytes().decode())
        return [arrays[f"{k:05d}"] for k in range(len(arrays))], state
    except (KeyError, ValueError) as error:
        raise DamagedError(f"it holds no state of a run: {error}") from error

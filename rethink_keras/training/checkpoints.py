"""Checkpoints: every variable of a run and its `RunState`, in one file that is complete or absent.

A checkpoint is a numpy archive without pickled objects: reading one never executes anything. It holds what
Keras's own files leave out and exact resuming needs: the optimizer, the states of dropout's seed generators and
the metrics' running sums in mid-epoch. A damaged checkpoint shows in the archive's CRC-32 of each array, and is
renamed; one that cannot be read at the moment is not touched.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import gin
import keras
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
class CheckpointOptions:
    """When checkpoints are saved and which are kept.

    Attributes:
        every_epochs: Save after every n-th epoch, and after the last.
        every_minutes: Save in the middle of an epoch, too, if there was no checkpoint for this time; 0 for never.
        keep_last: Number of the newest checkpoints that are kept.
        keep_every: Keep the checkpoints after every n-th epoch, too; 0 for none.
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
        folder: Folder of the checkpoints.
        variables: Keras variables, always in the same order.
        options: Which checkpoints are kept.
        workers: The workers of the run. The chief saves, and all restore the same checkpoint.
    """

    def __init__(
        self,
        folder: Path,
        variables: Sequence,
        options: CheckpointOptions = CheckpointOptions(),
        workers: Workers = SINGLE_WORKER,
    ):
        self._folder = folder
        self._variables = variables
        self._options = options
        self._workers = workers

    def save(self, state: RunState) -> None:
        """Saves variables and state, then removes checkpoints that need not be kept."""
        # Every worker reads the variables: reading those of metrics sums them over all workers.
        arrays = {f"{k:05d}": np.asarray(v) for k, v in enumerate(self._variables)}
        arrays[_STATE] = np.frombuffer(state.to_json().encode(), np.uint8)
        with self._workers.barrier():
            if self._workers.is_chief:
                path = self._path(state.epoch, state.step)
                with open_atomically(path) as file:
                    np.savez(file, **arrays)  # type: ignore[arg-type]
                self._drop_old(path)

    def restore_newest(self) -> RunState | None:
        """Restores the newest whole checkpoint. A damaged one is reported and renamed.

        Returns:
            Its state; None if there is no checkpoint at all.

        Raises:
            UserError: All are damaged, one is of another network, or this worker cannot read the chief's.
            DiskError: One cannot be read, for whatever reason; no older one is restored then.
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

    def _read_newest(self) -> Content | None:
        for path in reversed(checkpoint_paths(self._folder)):
            try:
                return _read(path)
            except DamagedError as error:
                logging.warning(
                    "The checkpoint %s is damaged (%s); restoring the one before it.", path, error
                )
                path.rename(path.with_name(f"{path.name}.damaged"))  # it does not count for keep_last
        if any(self._folder.glob("*.damaged")):
            raise UserError(
                f"Every checkpoint in {self._folder} is damaged. Start afresh with --overwrite, "
                "or name another --workdir."
            )
        return None

    def _read_the_chiefs(self, path: Path) -> Content:
        try:
            return _read(path)
        except (OSError, UserError, DamagedError) as error:
            raise UserError(
                f"This worker cannot read {path}, from which the chief resumes. Name a --workdir in a folder that "
                "all workers share."
            ) from error

    def _path(self, epoch: int, step: int) -> Path:
        return self._folder / f"epoch-{epoch:05d}-step-{step:07d}.npz"

    def _assign(self, path: Path, arrays: list[np.ndarray]) -> None:
        """Assigns the values; on all workers at once, since assigning to a metric's variable reads it."""
        expected = [(tuple(v.shape), tf.as_dtype(v.dtype).as_numpy_dtype) for v in self._variables]
        if [(a.shape, a.dtype) for a in arrays] != expected:
            raise UserError(
                f"The checkpoint {path} is of another network: its variables have other shapes. "
                "Name another --workdir, or start afresh with --overwrite."
            )
        for variable, array in zip(self._variables, arrays, strict=True):
            variable.assign(array)

    def _drop_old(self, new: Path) -> None:
        for path in checkpoint_paths(self._folder)[: -self._options.keep_last]:
            epoch, step = _position(path)
            every = self._options.keep_every
            if path != new and not (every and step == 0 and epoch % every == 0):
                path.unlink(missing_ok=True)


def checkpoint_paths(folder: Path) -> list[Path]:
    """Returns the checkpoints in a folder, oldest first."""
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_position)


def variables_of(network: keras.Model, metrics: Sequence[keras.metrics.Metric]) -> list:
    """Returns everything that training changes, each variable once, in a fixed order."""
    of_metrics = [variable for metric in metrics for variable in metric.variables]
    variables = [*network.variables, *network.optimizer.variables, *of_metrics]
    return list({id(variable): variable for variable in variables}.values())


def _position(path: Path) -> tuple[int, int]:
    """Returns epoch and step of a checkpoint by its name, whose numbers may have any length."""
    epoch, step = _NAME.findall(path.name)[0]
    return int(epoch), int(step)


def _read(path: Path) -> Content:
    arrays = read_arrays(path)
    try:
        state = RunState.from_json(arrays.pop(_STATE).tobytes().decode())
        return [arrays[f"{k:05d}"] for k in range(len(arrays))], state
    except (KeyError, ValueError) as error:
        raise DamagedError(f"it holds no state of a run: {error}") from error

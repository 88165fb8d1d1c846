"""What a run finds in its workdir: the state to resume from, or a run that is done and is not trained again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from rethink_keras import config as configuration
from rethink_keras.errors import UserError
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.state import Row, RunState
from rethink_keras.workdir.workdir import Workdir


def restore(checkpoints: Checkpoints, fingerprints: dict[str, str], folder: Workdir) -> RunState:
    """Restores the newest checkpoint of a run, if there is one.

    Args:
        checkpoints: of the run.
        fingerprints: of its data, which with the configuration tell it from other runs.
        folder: of the run.

    Returns:
        The checkpoint's state, or that of a run that begins.

    Raises:
        UserError: if the checkpoint is of another run.
    """
    facts = json.dumps(fingerprints, sort_keys=True)
    identity = hashlib.sha256((configuration.operative() + facts).encode()).hexdigest()
    state = checkpoints.restore_newest() or RunState(identity=identity)
    if state.identity != identity:
        raise UserError(
            f"The checkpoints in {folder.path} are of a run with another configuration or other data. "
            "Name another --workdir, or start afresh with --overwrite."
        )
    return state


def read_summary(folder: Workdir, state: RunState) -> dict[str, Any]:
    """The summary of the run so far; empty without one, or if it is damaged and the checkpoint can stand in for it."""
    try:
        return folder.read_summary() or {}
    except UserError:
        if not state.has_begun:
            raise
        print(f"Note: {folder.summary} is damaged. It is written anew from the last checkpoint.", flush=True)
        return {}


def begin(folder: Workdir, state: RunState, before: dict[str, Any]) -> None:
    """Says where training starts, and writes the files of the run as the state has them."""
    if state.has_begun:
        if not state.versions:
            state.add_versions(before.get("versions", {"rethink_keras": "not recorded"}))
        print(f"Going on in epoch {state.epoch + 1} after step {state.step}.", flush=True)
    elif before.get("epochs"):
        print(
            f"Note: {folder.path} has lost the checkpoints of its {before['epochs']} epochs. Training starts again.",
            flush=True,
        )
    folder.write_configuration(configuration.operative())
    folder.write_metrics(state.rows)


def accept(folder: Workdir, rows: list[Row], is_final: bool, write_model: Callable[[], object]) -> list[Row]:
    """Checks the files of a run that is done, and rebuilds what is missing or damaged from its last checkpoint.

    Args:
        folder: of the run.
        rows: of its newest checkpoint.
        is_final: whether that checkpoint is the run's last: with all rows, and with the final weights.
        write_model: writes model.keras from the weights of the checkpoint.

    Returns:
        The rows of the run.

    Raises:
        UserError: if something is missing or damaged and so is the last checkpoint.
        DiskError: if a file cannot be read or written.
    """
    if not folder.writes:
        return rows
    lacking = folder.lacking()
    if not is_final:
        if not folder.config.exists():
            lacking[folder.config.name] = "missing"
        if lacking:
            raise UserError(
                f"The run in {folder.path} is done, but has lost {_listed(lacking)}, and its last checkpoint, from "
                "which that could be rebuilt. It is not trained again: name another --workdir, or start afresh with "
                "--overwrite."
            )
        print(
            f"This run is done: {folder.summary} holds its metrics. Its last checkpoint is missing.",
            flush=True,
        )
        return folder.read_metrics()
    folder.write_configuration(configuration.operative())
    if folder.metrics.name not in lacking and folder.read_metrics() != rows:
        lacking[folder.metrics.name] = "differs from the last checkpoint"
    if folder.metrics.name in lacking:
        folder.write_metrics(rows)
    if folder.model.name in lacking:
        write_model()
    if lacking:
        print(f"Rebuilt from the last checkpoint: {_listed(lacking)}.", flush=True)
    print(f"This run is done: {folder.summary} holds its metrics.", flush=True)
    return rows


def _listed(lacking: dict[str, str]) -> str:
    return " and ".join(f"{name} ({why})" for name, why in lacking.items())

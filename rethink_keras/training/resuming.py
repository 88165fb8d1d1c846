"""What a run finds in its workdir: the state to resume from, or a run that is done and is not trained again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from rethink_keras import config as gin_config
from rethink_keras.errors import UserError
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.state import RunState
from rethink_keras.workdir.columns import MetricsRow
from rethink_keras.workdir.workdir import Workdir


def restore(checkpoints: Checkpoints, fingerprints: dict[str, str], folder: Workdir) -> RunState:
    """Restores the newest checkpoint of a run, if there is one.

    Args:
        checkpoints: The run's checkpoints.
        fingerprints: Fingerprints of its data. With the configuration they distinguish it from other runs.
        folder: Its workdir, whose configuration was checked.

    Returns:
        The checkpoint's state, or that of a run that begins.

    Raises:
        UserError: The checkpoint is of another run.
    """
    # The workdir's own text: it may come from a version that had fewer parameters.
    configuration = gin_config.operative()
    if folder.config.exists():
        configuration = folder.read_configuration()
    facts = json.dumps(fingerprints, sort_keys=True)
    identity = hashlib.sha256((configuration + facts).encode()).hexdigest()
    state = checkpoints.restore_newest() or RunState(identity=identity)
    if state.identity != identity:
        raise UserError(
            f"The checkpoints in {folder.path} are of a run with another configuration or other data. "
            "Name another --workdir, or start afresh with --overwrite."
        )
    return state


def read_summary(folder: Workdir, state: RunState) -> dict[str, Any]:
    """Returns the summary of the run so far.

    It is empty if there is none, and if it is damaged but a checkpoint has all that it had.

    Raises:
        UserError: It is damaged, and there is no checkpoint.
    """
    try:
        return folder.read_summary() or {}
    except UserError:
        if not state.has_begun:
            raise
        print(f"Note: {folder.summary} is damaged. It is rebuilt from the last checkpoint.", flush=True)
        return {}


def begin(folder: Workdir, state: RunState, earlier_summary: dict[str, Any]) -> None:
    """Prints where training starts, and brings config.gin and metrics.csv into the checkpoint's state."""
    if state.has_begun:
        if not state.versions:
            state.add_versions(earlier_summary.get("versions", {"rethink_keras": "not recorded"}))
        print(f"Resuming in epoch {state.epoch + 1} after step {state.step}.", flush=True)
    elif earlier_summary.get("epochs"):
        print(
            f"Note: {folder.path} has lost the checkpoints of its {earlier_summary['epochs']} epochs. Training "
            "starts again.",
            flush=True,
        )
    folder.write_configuration(gin_config.operative())
    folder.write_metrics(state.rows)


def complete(
    folder: Workdir, rows: list[MetricsRow], is_final: bool, write_model: Callable[[], object]
) -> list[MetricsRow]:
    """Checks the files of a run that is done, and rebuilds missing or damaged ones from its last checkpoint.

    Args:
        folder: The run's workdir.
        rows: The rows of its newest checkpoint.
        is_final: Whether that checkpoint is the run's last: with all rows, and with the final weights.
        write_model: Writes model.keras from the weights of the checkpoint.

    Returns:
        The rows of the run.

    Raises:
        UserError: A file is missing or damaged, and so is the last checkpoint.
        DiskError: A file cannot be read or written.
    """
    if not folder.writes:
        return rows
    lacking = folder.lacking()
    if not is_final:
        return _without_checkpoint(folder, lacking)
    folder.write_configuration(gin_config.operative())
    if folder.metrics.name not in lacking and not folder.has_metrics(rows):
        lacking[folder.metrics.name] = "differs from the last checkpoint"
    if folder.metrics.name in lacking:
        folder.write_metrics(rows)
    if folder.model.name in lacking:
        write_model()
    if lacking:
        print(f"Rebuilt from the last checkpoint: {_listed(lacking)}.", flush=True)
    print(f"This run is done: {folder.summary} holds its metrics.", flush=True)
    return rows


def _without_checkpoint(folder: Workdir, lacking: dict[str, str]) -> list[MetricsRow]:
    if not folder.config.exists():
        lacking[folder.config.name] = "missing"
    if lacking:
        raise UserError(
            f"The run in {folder.path} is done, but has lost {_listed(lacking)}, and its last checkpoint, from which "
            "that could be rebuilt. It is not trained again: name another --workdir, or start afresh with --overwrite."
        )
    print(
        f"This run is done: {folder.summary} holds its metrics. Its last checkpoint is missing.", flush=True
    )
    return folder.read_metrics()


def _listed(lacking: dict[str, str]) -> str:
    return " and ".join(f"{name} ({why})" for name, why in lacking.items())

"""A run without a network, to test what starts, stops and resumes runs: its files, lock and signals are real.

    .venv/bin/python benchmarks/stub_run.py --workdir=/tmp/run --epochs=100 --seconds=0.05 --megabytes=4

It starts in a third of a second; `bin/train` needs several seconds for TensorFlow. Other flags of `bin/train` are
ignored. Tests use it through `tests/experiments/stub_runs.py`.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from rethink_keras.system.files import write_atomically
from rethink_keras.system.signals import stop_request
from rethink_keras.training.state import RunState
from rethink_keras.workdir.workdir import Workdir

KEPT = 2
METRICS = {
    "train_loss": 1.0,
    "train_accuracy": 0.5,
    "test_loss": 1.0,
    "test_accuracy": 0.5,
    "running_accuracy": 0.5,
}


def main() -> int:
    """Runs or resumes; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.0, help="of an epoch, without its save")
    parser.add_argument("--megabytes", type=float, default=0.1, help="of a checkpoint")
    parser.add_argument("--configuration", default="", help="the fingerprint in summary.json")
    flags, _ = parser.parse_known_args()
    run = Workdir(flags.workdir)
    with run.locked(), stop_request() as stop:
        state = restored(flags.workdir) or RunState()
        run.write_configuration(f"# {flags.configuration}\n")
        _write(run, state, "running", flags.configuration)
        while state.epoch < flags.epochs and not stop:
            time.sleep(flags.seconds)
            epoch = state.epoch + 1
            state.row = {"epoch": epoch, "step": epoch, **METRICS, "seconds": flags.seconds}
            state.finish_epoch()
            _save(flags, state)
            _write(run, state, "running", flags.configuration)
        if stop:
            state.step += 1
            _save(flags, state)
        else:
            _write_model(run.model)
        _write(run, state, "interrupted" if stop else "done", flags.configuration)
    return 128 + stop.number if stop.number else 0


def checkpoints(workdir: Path) -> list[Path]:
    """Returns the checkpoints of a run, oldest first."""
    return sorted((workdir / "checkpoints").glob("epoch-*.npz"))


def restored(workdir: Path) -> RunState | None:
    """Returns the state in a run's newest checkpoint, of which all arrays are read; None without one."""
    saved = checkpoints(workdir)
    if not saved:
        return None
    with np.load(saved[-1], allow_pickle=False) as archive:
        return RunState.from_json(dict(archive)["state"].tobytes().decode())


def _save(flags: argparse.Namespace, state: RunState) -> None:
    content = io.BytesIO()
    weights = np.zeros(int(flags.megabytes * 2**18), np.float32)
    np.savez(content, weights=weights, state=np.frombuffer(state.to_json().encode(), np.uint8))
    name = f"epoch-{state.epoch:05d}-step-{state.step:07d}.npz"
    write_atomically(flags.workdir / "checkpoints" / name, content.getvalue())
    for path in checkpoints(flags.workdir)[:-KEPT]:
        path.unlink()


def _write_model(path: Path) -> None:
    """Writes an archive in place of a saved network: a sweep checks it but does not load it."""
    content = io.BytesIO()
    zipfile.ZipFile(content, "w").close()
    write_atomically(path, content.getvalue())


def _write(run: Workdir, state: RunState, status: str, configuration: str) -> None:
    run.write_metrics(state.rows)
    measured: dict[str, Any] = {
        "final": {name: value for name, value in METRICS.items() if not name.startswith("running")},
        "best_on_the_way": {"test_accuracy": 0.5, "epoch": 1},
        "epochs_to_fit": None,
        "epochs_to_accuracy": None,
        "train_metrics": "fixed_weights",
        "fit_loss": 0.01,
        "fit_accuracy": 0.99,
    }
    facts = {
        **{"seed": 0, "model": "none", "dataset": "none", "train_examples": 0, "test_examples": 0},
        **{"randomization": {}, "fingerprints": {}, "versions": {}, "device": "none"},
        "configuration": configuration,
    }
    run.write_summary({"status": status, "epochs": state.epoch, **(measured if state.rows else {}), **facts})


if __name__ == "__main__":
    raise SystemExit(main())

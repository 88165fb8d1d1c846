"""A run without a network, for whatever starts, stops and resumes runs: its files, lock and signals are a real run's.

    .venv/bin/python benchmarks/stub_run.py --workdir=/tmp/run --epochs=100 --seconds=0.05 --megabytes=4

It starts in a third of a second, where `bin/train` takes some for TensorFlow. Other flags of `bin/train` are ignored.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
import zipfile
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from rethink_keras.system.files import write_atomically
from rethink_keras.system.locks import held
from rethink_keras.system.signals import stop_request
from rethink_keras.training.state import RunState

KEPT = 2


def main() -> int:
    """Runs or resumes; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.0, help="of an epoch, besides its save")
    parser.add_argument("--megabytes", type=float, default=0.1, help="of a checkpoint")
    parser.add_argument("--configuration", default="", help="the fingerprint that summary.json names")
    flags, _ = parser.parse_known_args()
    (flags.workdir / "checkpoints").mkdir(parents=True, exist_ok=True)
    with held(flags.workdir, "another process holds the workdir"), stop_request() as stop:
        state = restored(flags.workdir) or RunState()
        _report(flags, state, "running")
        while state.epoch < flags.epochs and not stop:
            time.sleep(flags.seconds)
            row = {"epoch": state.epoch + 1, "train_loss": 1.0, "train_accuracy": 0.5}
            state.finish_epoch({**row, "test_loss": 1.0, "test_accuracy": 0.5, "seconds": flags.seconds})
            _save(flags, state)
            _report(flags, state, "running")
        if stop:
            state.step += 1
            _save(flags, state)
        if not stop:
            _write_model(flags.workdir / "model.keras")
        _report(flags, state, "interrupted" if stop else "done")
    return 128 + stop.number if stop.number else 0


def checkpoints(workdir: Path) -> list[Path]:
    """A run's checkpoints, oldest first."""
    return sorted((workdir / "checkpoints").glob("epoch-*.npz"))


def restored(workdir: Path) -> RunState | None:
    """The state in a run's newest checkpoint, all of whose arrays are read; None without one."""
    for path in reversed(checkpoints(workdir)):
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return RunState.from_json(arrays["state"].tobytes().decode())
    return None


def _save(flags: argparse.Namespace, state: RunState) -> None:
    content = io.BytesIO()
    weights = np.zeros(int(flags.megabytes * 2**18), np.float32)
    np.savez(content, weights=weights, state=np.frombuffer(state.to_json().encode(), np.uint8))
    name = f"epoch-{state.epoch:05d}-step-{state.step:07d}.npz"
    write_atomically(flags.workdir / "checkpoints" / name, content.getvalue())
    for path in checkpoints(flags.workdir)[:-KEPT]:
        path.unlink()


def _write_model(path: Path) -> None:
    """Writes an archive in place of a network, which a sweep checks but does not open."""
    content = io.BytesIO()
    zipfile.ZipFile(content, "w").close()
    write_atomically(path, content.getvalue())


def _report(flags: argparse.Namespace, state: RunState, status: str) -> None:
    lines = [",".join(state.rows[0])] if state.rows else ["epoch,seconds"]
    lines += [",".join(map(str, row.values())) for row in state.rows]
    write_atomically(flags.workdir / "metrics.csv", ("\n".join(lines) + "\n").encode())
    final = {"train_accuracy": 0.5, "test_accuracy": 0.5}
    summary = {
        "status": status,
        "epochs": state.epoch,
        "final": final,
        "fit_loss": 0.01,
        "fit_accuracy": 0.99,
    }
    summary["configuration"] = flags.configuration
    write_atomically(flags.workdir / "summary.json", json.dumps(summary).encode())


if __name__ == "__main__":
    raise SystemExit(main())

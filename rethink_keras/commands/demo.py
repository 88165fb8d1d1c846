"""`bin/demo`: a network fits true labels and then random ones, in under a minute, with nothing to download."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from rethink_keras.commands import common

USAGE = """
Trains on the embedded handwritten digits, with true labels and then with random ones, and shows both.

  bin/demo --workdir=runs/demo
"""
EPOCHS = 40
GIN = Path(__file__).resolve().parents[2] / "gin"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    values = common.basic_flags()
    flags.DEFINE_string("workdir", "runs/demo", "Folder of the two runs and the picture.", flag_values=values)
    return common.run_command(USAGE, values, lambda: _demo(Path(values.workdir)), argv or sys.argv)


def _demo(folder: Path) -> None:
    common.quiet_tensorflow()
    from rethink_keras.api import run
    from rethink_keras.training import learning_curves

    quickstart = GIN / "quickstart.gin"
    overlays = {"true labels": [], "random labels": [GIN / "with" / "random_labels.gin"]}
    results = {}
    for name, overlay in overlays.items():
        print(f"\n{name.capitalize()}: an MLP on 1,438 handwritten digits", flush=True)
        workdir = folder / name.replace(" ", "_")
        results[name] = run([quickstart, *overlay], [f"train.epochs = {EPOCHS}"], workdir)
    picture = folder / "learning_curves.png"
    histories = {name: result.history for name, result in results.items()}
    learning_curves.plot(histories, picture, "The same network fits true labels and random ones")
    print(f"\n{'':<15}{'train':>9}{'test':>9}{'epochs to fit':>16}")
    for name, result in results.items():
        final = result.summary["final"]
        fit = result.summary["epochs_to_fit"] or "not fitted"
        print(f"{name:<15}{final['train_accuracy']:>9.2%}{final['test_accuracy']:>9.2%}{fit:>16}")
    print("\nThe same network, the same recipe: what it learns of the labels that mean nothing is useless.")
    for result in results.values():
        print(f"  {result.workdir}/  (metrics.csv, summary.json, config.gin, model.keras, tensorboard/)")
    print(f"  {picture}")

"""Trains an MLP on the embedded handwritten digits, with true labels and then with random labels, and compares both.

  bin/demo --workdir=runs/demo

Exit codes: 0 done, 2 bad usage, 5 the workdir's disk is full or failing, 129 / 130 / 143 interrupted by SIGHUP /
SIGINT / SIGTERM after saving.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rethink_keras.commands import command_flags, runner
from rethink_keras.commands.tensorflow_start import start_tensorflow
from rethink_keras.system.installation import config_folder

EPOCHS = 40


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    values = command_flags.basic_flags()
    values.string("workdir", "Folder of the two runs and their plot.", default="runs/demo")
    return runner.run_command(__doc__, values, lambda: _demo(Path(values.workdir), values.debug), argv)


def _demo(folder: Path, debug: bool) -> None:
    start_tensorflow(debug)
    from rethink_keras.api import run
    from rethink_keras.training import learning_curves

    gin = config_folder()
    overlays = {"true labels": [], "random labels": [gin / "with" / "random_labels.gin"]}
    results = {}
    for name, overlay in overlays.items():
        print(f"\n{name.capitalize()}: an MLP on 1,438 handwritten digits", flush=True)
        workdir = folder / name.replace(" ", "_")
        results[name] = run([gin / "quickstart.gin", *overlay], [f"train.epochs = {EPOCHS}"], workdir)
    plot_path = folder / "learning_curves.png"
    histories = {name: result.history for name, result in results.items()}
    learning_curves.plot(
        histories, plot_path, "The same network fits true labels and random ones", num_classes=10
    )
    print(f"\n{'':<15}{'train':>9}{'test':>9}{'epochs to fit':>16}")
    for name, result in results.items():
        final = result.summary["final"]
        fit = result.summary["epochs_to_fit"] or "not fitted"
        print(f"{name:<15}{final['train_accuracy']:>9.2%}{final['test_accuracy']:>9.2%}{fit:>16}")
    print(
        "\nThe same network and hyperparameters fit both. What is learned from random labels does not generalize."
    )
    for result in results.values():
        print(f"  {result.workdir}/  (metrics.csv, summary.json, config.gin, model.keras, tensorboard/)")
    print(f"  {plot_path}")

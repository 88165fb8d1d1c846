"""What a checkpoint costs beside an epoch of MLP 1x512 on CIFAR-10.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.checkpoint_cost --epochs=6

One run that saves after every epoch; each save is timed within it. Prints the median of a save, of an epoch
(training and evaluation, the save left out), and their ratio.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from absl import flags

from rethink_keras.api import run
from rethink_keras.training.checkpoints import Checkpoints

GIN = Path(__file__).parents[1] / "gin" / "table1_mlp_1x512.gin"


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_integer("epochs", 6, "Epochs of the run.", flag_values=values)
    flags.DEFINE_string("data_dir", None, "TFDS data folder.", flag_values=values)
    values(sys.argv)
    saves: list[float] = []
    real = Checkpoints.save

    def timed(self, state):
        begin = time.perf_counter()
        path = real(self, state)
        saves.append(time.perf_counter() - begin)
        return path

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(Checkpoints, "save", timed):
        result = run([GIN], [f"train.epochs = {values.epochs}"], folder, data_dir=values.data_dir)
    epoch = statistics.median(row["seconds"] for row in result.history[1:])
    save = statistics.median(saves)
    print(f"a save {1000 * save:.0f} ms, an epoch {epoch:.2f} s: {save / epoch:.1%} (medians)")


if __name__ == "__main__":
    main()

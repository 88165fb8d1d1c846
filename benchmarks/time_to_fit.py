"""Seconds until random labels are fitted: our speedrun against the companion code's recipe, same network and data.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.time_to_fit --seeds=3

For each seed in turn, `bin/train` with the speedrun's gin file and with the companion's recipe laid over it, both until
the training accuracy on fixed weights is 99.9%. Seconds are those of all epochs, measuring included (the column
`seconds` of metrics.csv); starting up is not.
"""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from absl import flags

ROOT = Path(__file__).parents[1]
SPEEDRUN = "gin/speedrun/mlp_1x512_random_labels.gin"
RECIPES = {"ours": (), "companion": ("gin/speedrun/with/companion_recipe.gin",)}
MARK = 0.999


def seconds_to_fit(workdir: Path, files: tuple[str, ...], seed: int) -> tuple[float, int]:
    """Trains and returns seconds and epochs.

    Raises:
        RuntimeError: if the run fails or ends without coming to the mark.
    """
    command = [sys.executable, str(ROOT / "bin" / "train"), f"--workdir={workdir}", f"--seed={seed}"]
    done = subprocess.run(
        [*command, *(f"--gin_file={ROOT / file}" for file in files)], stdout=subprocess.DEVNULL
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(files)} exited with {done.returncode}")
    with (workdir / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if float(rows[-1]["train_accuracy"]) < MARK:
        raise RuntimeError(f"{' '.join(files)} came to {rows[-1]['train_accuracy']} in {len(rows)} epochs")
    return sum(float(row["seconds"]) for row in rows), len(rows)


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_integer("seeds", 3, "How many.", lower_bound=1, flag_values=values)
    values(sys.argv)
    taken: dict[str, list[float]] = {name: [] for name in RECIPES}
    for seed in range(values.seeds):
        for name, overlays in RECIPES.items():
            with tempfile.TemporaryDirectory() as folder:
                seconds, epochs = seconds_to_fit(Path(folder) / name, (SPEEDRUN, *overlays), seed)
            taken[name].append(seconds)
            print(f"seed {seed}, {name}: {seconds:.1f} s, {epochs} epochs", flush=True)
    for name, seconds_of in taken.items():
        spread = f" ± {statistics.stdev(seconds_of):.1f}" if len(seconds_of) > 1 else ""
        print(f"{name}: {statistics.mean(seconds_of):.1f}{spread} s, {len(seconds_of)} seeds")
    ratios = [theirs / mine for mine, theirs in zip(taken["ours"], taken["companion"], strict=True)]
    print(f"companion over ours: median {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main()

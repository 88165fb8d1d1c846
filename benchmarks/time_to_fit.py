"""Seconds until random labels are fitted: our speedrun against the companion code's recipe, same network and data.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.time_to_fit --seeds=3 --companion_seeds=1
    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.time_to_fit --network=small_inception --seeds=1

For each seed, `bin/train` with the speedrun's gin file and, for the first seeds, with the companion's recipe applied on
top of it, both until the training accuracy on fixed weights is 99.9%. Seconds are those of the whole command by the
clock: starting up, whatever is computed of the images beforehand, all epochs, measuring and saving.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import flags

from rethink_keras.workdir.workdir import Workdir

ROOT = Path(__file__).parents[1]
SPEEDRUNS = {  # and the companion code's recipe for such a network
    "mlp_1x512": ("mlp_1x512_random_labels.gin", "with/companion_recipe.gin"),
    "small_inception": ("small_inception_random_labels.gin", "with/companion_recipe_convolutional.gin"),
}
MARK = 0.999


def seconds_to_fit(workdir: Path, files: tuple[str, ...], seed: int) -> tuple[float, int]:
    """Trains and returns seconds and epochs.

    Raises:
        RuntimeError: The run fails, or ends without coming to the mark.
    """
    command = [sys.executable, str(ROOT / "bin" / "train"), f"--workdir={workdir}", f"--seed={seed}"]
    begin = time.perf_counter()
    done = subprocess.run(
        [*command, *(f"--gin_file={ROOT / 'gin' / 'speedrun' / file}" for file in files)],
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"{' '.join(files)} exited with {done.returncode}")
    last = Workdir(workdir).read_metrics()[-1]
    if last["train_accuracy"] < MARK:
        raise RuntimeError(f"{' '.join(files)} came to {last['train_accuracy']} in {last['epoch']} epochs")
    return seconds, last["epoch"]


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_enum("network", "mlp_1x512", list(SPEEDRUNS), "Which network.", flag_values=values)
    flags.DEFINE_integer("seeds", 3, "Of the speedrun.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer(
        "companion_seeds", 1, "Of the companion's recipe.", lower_bound=0, flag_values=values
    )
    values(sys.argv)
    speedrun, recipe = SPEEDRUNS[values.network]
    files = {"speedrun": (speedrun,), "companion": (speedrun, recipe)}
    seeds = {"speedrun": values.seeds, "companion": values.companion_seeds}
    taken: dict[str, list[float]] = {name: [] for name in files}
    for seed in range(max(seeds.values())):
        for name in (name for name in files if seed < seeds[name]):
            with tempfile.TemporaryDirectory() as folder:
                seconds, epochs = seconds_to_fit(Path(folder) / name, files[name], seed)
            taken[name].append(seconds)
            print(f"seed {seed}, {name}: {seconds:.1f} s, {epochs} epochs", flush=True)
    for name, readings in taken.items():
        if readings:
            spread = f" ± {statistics.stdev(readings):.1f}" if len(readings) > 1 else ""
            print(f"{name}: {statistics.mean(readings):.1f}{spread} s, {len(readings)} seeds")
    if ratios := [theirs / mine for mine, theirs in zip(*taken.values(), strict=False)]:
        print(f"companion over speedrun: median {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main()

r"""Trains one network. The same command on the same workdir resumes where it stopped.

  bin/train --gin_file=gin/table1_mlp_1x512.gin
  bin/train --gin_file=gin/table1_mlp_1x512.gin --gin_file=gin/with/random_labels.gin \
            --gin_param='train.epochs = 60' --seed=1 --workdir=runs/random_labels_1

  bin/train --workdir=runs/mine --verify=runs/theirs     compares two runs and trains nothing

With TF_CONFIG set, the same command on every host trains one run. The workdir must be in a shared folder.

Exit codes: 0 done, 2 bad usage or configuration, 3 data not available or damaged, 4 training diverged, 5 the
workdir's disk is full or failing, 6 the compared runs differ, 8 another worker was lost (start all workers again),
9 training ran out of memory, 129 / 130 / 143 interrupted by SIGHUP / SIGINT / SIGTERM after saving.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rethink_keras.commands import command_flags, runner
from rethink_keras.commands.tensorflow_start import start_tensorflow


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    values = command_flags.experiment_flags("train")
    values.string("verify", "Another run's workdir: report whether both are the same run.")
    values.integer(
        "threads",
        "Processor threads; default: all. The last bits of convolutions depend on it.",
        lower_bound=1,
    )
    values.integer(
        "pause_after",
        "Save and stop after this many epochs; the same command without the flag resumes.",
        lower_bound=1,
    )

    def run_command() -> None:
        if values.verify:
            _verify(values)
            return
        start_tensorflow(values.debug, values.threads)
        from rethink_keras.training.config import RunConfig
        from rethink_keras.training.train import train

        def run(workdir, data_dir, overwrite):
            config = RunConfig.from_gin(data_dir)
            return train(config, workdir=workdir, overwrite=overwrite, pause_after=values.pause_after)

        runner.run_experiment(values, "train", run, "Training")
        if not values.print_config:
            _print_runs_command(values)

    return runner.run_command(__doc__, values, run_command, argv)


def _print_runs_command(values: command_flags.Flags) -> None:
    """Prints the command that lists this run and those beside it."""
    from rethink_keras.experiments.paths import typed_command, typed_path
    from rethink_keras.workdir.workdir import default_workdir

    folder = Path(values.workdir or default_workdir(values.gin_file)).resolve().parent
    is_listed = folder.is_relative_to(Path("runs").resolve())  # which `bin/runs` lists by default
    flags = [] if is_listed else [f"--workdir={typed_path(folder)}"]
    print(f"All runs: {typed_command('runs', *flags)}")


def _verify(values: command_flags.Flags) -> None:
    from rethink_keras.workdir import verification, workdir

    folder = values.workdir or workdir.default_workdir(values.gin_file)
    print(verification.verify(folder, values.verify))

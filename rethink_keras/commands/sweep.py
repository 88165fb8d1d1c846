"""Trains all runs of a table or a figure, or those that are missing, each by a bin/train process of its own.

  bin/sweep --gin_file=gin/sweeps/small/table1.gin
  bin/sweep --gin_file=gin/sweeps/figure1b_1c.gin --gin_param='sweep.seeds = [0, 1, 2]' --workdir=runs/figure1b_1c
  bin/sweep --gin_file=gin/sweeps/table1.gin --dry_run

Stop it at any time: runs in progress save, and the same command resumes with what is missing.

The folder's sweep only grows: with fewer seeds or networks than before, only those are trained, and the others stay
part of the sweep. --replace takes them out of sweep.json; their folders stay.

Exit codes: 0 all runs are done, 2 bad usage or configuration, 5 the folder's disk is full or failing, 7 some runs
failed, 129 / 130 / 143 interrupted by SIGHUP / SIGINT / SIGTERM after saving.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rethink_keras.commands import command_flags, runner
from rethink_keras.commands.tensorflow_start import start_tensorflow


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    values = command_flags.collection_flags("sweep", "sweeps", "List the runs and their costs, train none.")
    values.boolean(
        "replace", "Take runs that this configuration does not name out of the sweep; their folders stay."
    )
    return runner.run_command(__doc__, values, lambda: _sweep(values), argv)


def _sweep(values: command_flags.Flags) -> None:
    # This process trains nothing: on a GPU, TensorFlow must not take the memory that the runs need.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    start_tensorflow(values.debug)
    from rethink_keras import config
    from rethink_keras.experiments.engines import ENGINES
    from rethink_keras.experiments.sweeps.run_sweep import others_kept, run_sweep
    from rethink_keras.experiments.sweeps.sweep import Sweep
    from rethink_keras.reports.paper_results import PAPER_RESULTS
    from rethink_keras.system.files import check_folder

    folder = command_flags.collection_folder(values, "sweeps")
    check_folder(folder)
    gin_files = command_flags.gin_paths(values)
    config.parse(gin_files, values.gin_param, allow_imports=values.allow_imports)
    sweep = Sweep()
    # Here, since experiments/ imports nothing of reports/.
    PAPER_RESULTS.find("sweep.paper_result", sweep.paper_result)
    engine = ENGINES.find("sweep.engine", sweep.engine)()
    threads = sweep.threads_in(folder, engine, connect=not values.dry_run)
    manifest = sweep.plan(gin_files, values.gin_param, threads, values.allow_imports, values.data_dir)
    whole = manifest.merged(folder, values.replace)
    if values.dry_run:
        _list(manifest, folder)
        if others := others_kept(whole, manifest):
            print(others.strip())
        return
    run_sweep(
        manifest, folder, engine, retries=sweep.retries, data_dir=values.data_dir, replace=values.replace
    )


def _list(manifest, folder: Path) -> None:
    from rethink_keras.system.text import printable
    from rethink_keras.workdir.workdir import Workdir

    print(f"{printable(manifest.title)}\n\n{'run':<50}{'status':>12}{'epochs':>8}{'images':>16}")
    for run in manifest.runs:
        status = Workdir(folder / run.name).read().status
        print(f"{run.name:<50}{status:>12}{run.epochs:>8}{run.images:>16,}")
    print(f"{f'{len(manifest.runs)} runs':<50}{'':>12}{'':>8}{manifest.images:>16,}")
    print(f"\nThe first as a command:\n  {manifest.runs[0].command(folder)}")
    if not manifest.runs[0].threads:
        print("Its --threads depends on the machines of the cluster, to which --dry_run does not connect.")

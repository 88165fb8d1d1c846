"""Searches hyperparameters with Keras Tuner; each trial is a bin/train process with its own workdir.

  bin/tune --gin_file=gin/tune/mnist_random_labels.gin --workdir=runs/mnist_random_labels
  bin/tune --gin_file=gin/tune/mnist_random_labels.gin --gin_param='search.trials = 20' --dry_run

Stop it at any time: trials in progress save, and the same command resumes. Ends with the table of trials (trials.csv,
trials.md) and the best as a gin file: bin/train --gin_file=WORKDIR/best.gin.

Over several processes or machines, start the same command on each as the same user, with a --workdir in a shared
folder and KERASTUNER_TUNER_ID=chief on one, another name on each of the others, and KERASTUNER_ORACLE_IP and
KERASTUNER_ORACLE_PORT the chief's address on all. Another worker resumes the trial of a lost one.

Exit codes: 0 the search is finished, 2 bad usage or configuration, 3 data not available, 5 the folder's disk is full
or failing, 7 all trials failed, 8 the chief was lost, 129 / 130 / 143 interrupted by SIGHUP / SIGINT /
SIGTERM after saving.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from rethink_keras.commands import command_flags, runner, tables
from rethink_keras.commands.tensorflow_start import start_tensorflow


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    values = command_flags.collection_flags(
        "search", "searches", "Show the space and the cost of the search."
    )
    return runner.run_command(__doc__, values, lambda: _tune(values), argv)


def _tune(values: command_flags.Flags) -> None:
    # This process trains nothing: on a GPU, TensorFlow must not take the memory that the runs need.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    start_tensorflow(values.debug)
    from rethink_keras import config
    from rethink_keras.errors import RunsFailedError
    from rethink_keras.experiments.engines.local import Local
    from rethink_keras.experiments.paths import typed_command, typed_path
    from rethink_keras.experiments.searches import chief, remote, results, run_search
    from rethink_keras.experiments.searches.search import Search, plan_search
    from rethink_keras.experiments.searches.space import Space
    from rethink_keras.system.files import check_folder

    folder = command_flags.collection_folder(values, "searches")
    check_folder(folder)
    gin_files = command_flags.gin_paths(values)
    config.parse(gin_files, values.gin_param, allow_imports=values.allow_imports)
    # A search distributes its trials by Keras Tuner's chief and workers: each process runs its own on its machine.
    search, space, engine = Search(), Space(), Local()
    role = remote.role()
    is_worker = bool(role.address) and not role.is_chief
    if is_worker and not values.dry_run:
        run_search.wait_for_chief(folder, search.patience_minutes)
    threads = chief.threads_in(folder, search, engine)
    plan = plan_search(search, space, gin_files, threads, values.allow_imports, values.data_dir)
    if values.dry_run:
        _list(plan)
        return
    if is_worker:
        run_search.follow(plan, folder, role, engine, values.data_dir)
        print("The search is finished.", flush=True)
        return
    trials = run_search.lead(plan, folder, role, engine, values.data_dir)
    table = results.rows(plan, trials, folder)
    results.write(plan, table, folder, gin_files, values.gin_param)
    _show(table)
    if table[0]["status"] != "done":
        raise RunsFailedError(
            f"All {len(table)} trials failed. The last column of {folder / results.CSV} has the reasons."
        )
    print(f"The best: {typed_command('train', f'--gin_file={typed_path(folder / results.BEST)}')}")


def _list(plan) -> None:
    from rethink_keras.system.text import printable

    search = plan.search
    print(f"{printable(search.title)}\n\nObjective: {search.objective}, by {search.algorithm.__name__}\n")
    width = max(len(name) for name, _ in plan.space)
    for name, values in plan.space:
        print(f"{name:<{width}}  {values}")
    images = sum(plan.costs) * plan.template.images // plan.template.epochs
    print(f"\nUp to {len(plan.costs)} trials, {sum(plan.costs)} epochs, {images:,} images")


def _show(table) -> None:
    from rethink_keras.experiments.searches import results

    hidden = ("workdir", "epochs_to_accuracy", *([] if any(row["failure"] for row in table) else ["failure"]))
    names = [name for name in table[0] if name not in hidden]
    rows = [[results.cells(row)[name] for name in names] for row in table]
    tables.print_table([(name, {"overflow": "fold"}) for name in names], rows)

"""`bin/tune`: searches for the settings of a run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from absl import flags

from rethink_keras.commands import command_flags, runner, tables
from rethink_keras.commands.tensorflow_start import start_tensorflow

USAGE = """
Searches for the settings of a run with Keras Tuner; each trial is a bin/train process with its own workdir.

  bin/tune --gin_file=gin/tune/mnist_random_labels.gin --workdir=runs/mnist_random_labels
  bin/tune --gin_file=gin/tune/mnist_random_labels.gin --gin_param='search.trials = 20' --dry_run

Stop it at any time: trials in progress save, and the same command goes on. Ends with the table of trials (trials.csv,
trials.md) and the best as a gin file: bin/train --gin_file=WORKDIR/best.gin.

Over several processes or machines, start the same command on each as the same user, with a --workdir in a shared
folder and KERASTUNER_TUNER_ID=chief on one, another name on each of the others, and KERASTUNER_ORACLE_IP and
KERASTUNER_ORACLE_PORT the chief's address on all. A lost worker's trial goes on elsewhere.

Exit codes: 0 the search is finished, 2 bad usage or configuration, 3 data not available, 5 the folder's disk is full
or failing, 7 all trials failed, 8 the chief was lost, 129 / 130 / 143 interrupted by SIGHUP / SIGINT /
SIGTERM after saving.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    values = command_flags.collection_flags("search", "searches", "Show what is searched and what it costs.")
    return runner.run_command(USAGE, values, lambda: _tune(values), argv or sys.argv)


def _tune(values: flags.FlagValues) -> None:
    start_tensorflow(values.debug)
    from rethink_keras import config
    from rethink_keras.errors import RunsFailedError
    from rethink_keras.experiments.engines.local import Local
    from rethink_keras.experiments.searches import chief, orchestration, remote, results, search
    from rethink_keras.experiments.sweeps.manifest import as_typed, typed
    from rethink_keras.system.files import check_folder

    folder = command_flags.collection_folder(values, "searches")
    check_folder(folder)
    config.parse(values.gin_file, values.gin_param, allow_imports=values.allow_imports)
    asked, engine = search.Search(), Local()
    role = remote.role()
    follows = bool(role.address) and not role.is_chief
    if follows and not values.dry_run:
        orchestration.wait_for_chief(folder, asked.patience_minutes)
    plan, oracle = search.lay_out(
        values.gin_file, values.gin_param, chief.threads_of(asked, folder), values.allow_imports
    )
    if values.dry_run:
        _list(plan, oracle)
        return
    if follows:
        orchestration.follow(plan, oracle, folder, role, engine, values.data_dir)
        print("The search is finished.", flush=True)
        return
    trials = orchestration.lead(plan, oracle, folder, role, engine, values.data_dir)
    table = results.rows(plan, trials, folder)
    results.write(plan, table, folder, values.gin_file, values.gin_param)
    _show(table)
    if table[0]["status"] != "done":
        raise RunsFailedError(
            f"All {len(table)} trials failed. The last column of {folder / results.CSV} says why."
        )
    print(f"The best: {typed('train', f'--gin_file={as_typed(folder / results.BEST)}')}")


def _list(plan, oracle) -> None:
    from rethink_keras.system.text import printable

    search = plan.search
    print(f"{printable(search.title)}\n\nSought: {search.objective}, by {search.algorithm.__name__}\n")
    width = max(len(name) for name, _ in plan.space)
    for name, values in plan.space:
        print(f"{name:<{width}}  {values}")
    costs = oracle.costs(plan.template.epochs)
    images = sum(costs) * plan.template.images // plan.template.epochs
    print(f"\nUp to {len(costs)} trials, {sum(costs)} epochs, {images:,} images")


def _show(table) -> None:
    from rethink_keras.experiments.searches import results

    hidden = ("workdir", "epochs_to_accuracy", *([] if any(row["failure"] for row in table) else ["failure"]))
    names = [name for name in table[0] if name not in hidden]
    rows = [[results.cells(row)[name] for name in names] for row in table]
    tables.print_table([(name, {"overflow": "fold"}) for name in names], rows)

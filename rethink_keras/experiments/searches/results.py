"""What a search has found: the table of its trials, and the best of them as a gin file."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras import config as configuration
from rethink_keras.errors import DamagedError
from rethink_keras.experiments.searches.objectives import DIRECTIONS, metrics_after
from rethink_keras.experiments.searches.search import Plan
from rethink_keras.experiments.sweeps.manifest import ROOT, as_named, as_typed, typed
from rethink_keras.system.files import write_atomically
from rethink_keras.system.text import printable
from rethink_keras.workdir.record import DAMAGED
from rethink_keras.workdir.workdir import Workdir

STATUSES = {TrialStatus.COMPLETED: "done", TrialStatus.FAILED: "failed", TrialStatus.RUNNING: "begun"}
FIGURES = (
    "epochs",
    "train_accuracy",
    "test_accuracy",
    "train_loss",
    "epochs_to_fit",
    "epochs_to_accuracy",
    "seconds",
)
CSV, MARKDOWN, BEST = "trials.csv", "trials.md", "best.gin"
Row = dict[str, Any]


def rows(plan: Plan, trials: Sequence[Trial], folder: Path) -> list[Row]:
    """A row for each trial, the best first, those that are not done last.

    A trial is 'damaged' if its run was done and has lost what it measured; the last column says in which file.
    Columns: trial, workdir, status, score, `FIGURES`, the parameters that vary, and why a trial failed.
    """
    sign = -1 if DIRECTIONS[plan.search.objective] == "max" else 1
    ranked = sorted(trials, key=lambda t: (t.score is None, sign * (t.score or 0), int(t.trial_id)))
    found = [_row(plan, trial, folder) for trial in ranked]
    return sorted(found, key=lambda row: row["status"] != STATUSES[TrialStatus.COMPLETED])


def write(
    plan: Plan, table: list[Row], folder: Path, gin_files: Sequence[str], bindings: Sequence[str]
) -> None:
    """Writes trials.csv, trials.md and, if a trial is done, best.gin; replaces gin's present configuration.

    Args:
        plan: of the search.
        table: of `rows`.
        folder: of the search.
        gin_files: that `bin/tune` was given.
        bindings: likewise.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_atomically(folder / CSV, text.getvalue().encode())
    write_atomically(folder / MARKDOWN, _markdown(plan, table).encode())
    if table[0]["status"] == "done":
        flags = [
            *(f"--gin_file={as_typed(ROOT / as_named(file))}" for file in gin_files),
            *(f"--gin_param={b}" for b in bindings),
        ]
        command = typed("tune", *flags, f"--workdir={as_typed(folder)}")
        write_atomically(folder / BEST, _best(plan, table, folder, command).encode())


def in_short(plan: Plan, trial: Trial) -> str:
    """What a trial binds, in a line."""
    return ", ".join(f"{name} = {text}" for name, text in plan.bindings(trial).items())


def failure(workdir: Path) -> str:
    """Why a run failed, in a sentence; empty if nobody knows."""
    return Workdir(workdir).read_failure()


def cells(row: Row) -> dict[str, str]:
    """A row for eyes: accuracies in percent."""
    shown = {}
    for name, value in row.items():
        if isinstance(value, float):
            shown[name] = f"{100 * value:.2f}" if name.endswith("_accuracy") else f"{value:.5g}"
        else:
            shown[name] = "" if value is None else str(value)
    return shown


def _row(plan: Plan, trial: Trial, folder: Path) -> Row:
    run = plan.run(trial)
    status, found, why = STATUSES[trial.status], {}, ""
    if trial.status == TrialStatus.COMPLETED:
        try:
            found = metrics_after(Workdir(folder / run.name).read(), plan.until(trial))
        except DamagedError as error:
            status, why = DAMAGED, str(error)
    else:
        why = failure(folder / run.name)
    bound = plan.bindings(trial)
    return {
        "trial": f"{int(trial.trial_id):04d}",
        "workdir": run.name,
        "status": status,
        "score": trial.score,
        **{name: found.get(name) for name in FIGURES},
        **{name: bound.get(name, "") for name, _ in plan.space},
        "failure": why,
    }


def _markdown(plan: Plan, table: list[Row]) -> str:
    names = [name for name in table[0] if name != "workdir"]
    lines = [
        f"# {printable(plan.search.title)}",
        "",
        f"Sought: {plan.search.objective}. Accuracies in percent.",
        "",
    ]
    lines += [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for row in table:
        shown = cells(row)
        lines.append(f"| {' | '.join(_escaped(shown[name]) for name in names)} |")
    return "\n".join(lines) + "\n"


def _escaped(cell: str) -> str:
    """A cell's text as Markdown shows it, whatever it holds."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", printable(cell))


def _best(plan: Plan, table: list[Row], folder: Path, command: str) -> str:
    best, run = table[0], plan.template
    found = [f"{name} = {best[name]}" for name, _ in plan.space if best[name]]
    configuration.parse(
        [ROOT / file for file in run.gin_files],
        [*run.bindings, *found, f"train.seed = {run.seed}"],
        allow_imports=run.allow_imports,
    )
    flags = [f"--gin_file={as_typed(folder / BEST)}", *([f"--threads={run.threads}"] if run.threads else [])]
    fit = f", loss low enough after {best['epochs_to_fit']}" if best["epochs_to_fit"] else ""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    header = [
        f"{plan.search.title}: the best of {len(table)} trials.",
        "",
        f"Command:   {typed('train', *flags)}",
        f"Expect:    train {100 * best['train_accuracy']:.2f}, test {100 * best['test_accuracy']:.2f}, training loss "
        f"{best['train_loss']:.4f} after {best['epochs']} epochs{fit}.",
        f"Seen:      so in trial {best['trial']}, {best['seconds']:.0f} s; sought was {plan.search.objective}, here "
        f"{best['score']:.5g}.",
        f"From:      {command}",
        f"           {plan.search.algorithm.__name__}, seed {plan.search.seed}, ended {day}.",
        *(f"{'Found:' if k == 0 else '':<11}{line}" for k, line in enumerate(found)),
    ]
    return "\n".join(f"# {printable(line)}".rstrip() for line in header) + "\n" + configuration.resolved()

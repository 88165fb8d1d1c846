"""Results of a search: the table of its trials, and the best of them as a gin file."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras import config
from rethink_keras.experiments.paths import configuration_flags, stored_path, typed_command, typed_path
from rethink_keras.experiments.planning import parsed
from rethink_keras.experiments.searches.objectives import DIRECTIONS
from rethink_keras.experiments.searches.search import SearchPlan
from rethink_keras.system.files import write_atomically
from rethink_keras.system.text import printable
from rethink_keras.workdir.record import DAMAGED

STATUSES = {TrialStatus.COMPLETED: "done", TrialStatus.FAILED: "failed", TrialStatus.RUNNING: "begun"}
METRICS = (
    "epochs",
    "train_accuracy",
    "test_accuracy",
    "train_loss",
    "epochs_to_fit",
    "epochs_to_accuracy",
    "seconds",
)
CSV, MARKDOWN, BEST = "trials.csv", "trials.md", "best.gin"
TrialRow = dict[str, Any]
"""A trial by columns, see `rows`."""


def rows(plan: SearchPlan, trials: Sequence[Trial], folder: Path) -> list[TrialRow]:
    """Returns a row for each trial, the best first, those that are not done last.

    Columns: trial, workdir, status, score, `METRICS`, the parameters that vary, and why a trial failed. A trial is
    'damaged' if its run was done and its metrics are lost; the last column names the file.
    """
    sign = -1 if DIRECTIONS[plan.search.objective] == "max" else 1
    ranked = sorted(trials, key=lambda t: (t.score is None, sign * (t.score or 0), int(t.trial_id)))
    found = [_row(plan, trial, folder) for trial in ranked]
    return sorted(found, key=lambda row: row["status"] != STATUSES[TrialStatus.COMPLETED])


def write(
    plan: SearchPlan, table: list[TrialRow], folder: Path, gin_files: Sequence[str], bindings: Sequence[str]
) -> None:
    """Writes trials.csv, trials.md and, if a trial is done, best.gin.

    Args:
        plan: Plan of the search.
        table: Rows of all trials, from `rows`.
        folder: Folder of the search.
        gin_files: Gin files of `bin/tune`.
        bindings: Gin bindings of `bin/tune`.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    write_atomically(folder / CSV, text.getvalue().encode())
    write_atomically(folder / MARKDOWN, _markdown(plan, table).encode())
    if table[0]["status"] == "done":
        flags = configuration_flags(map(stored_path, gin_files), bindings)
        command = typed_command("tune", *flags, f"--workdir={typed_path(folder)}")
        write_atomically(folder / BEST, _best(plan, table, folder, command).encode())


def cells(row: TrialRow) -> dict[str, str]:
    """Returns a row as texts for people: accuracies in percent."""
    shown = {}
    for name, value in row.items():
        if isinstance(value, float):
            shown[name] = f"{100 * value:.2f}" if name.endswith("_accuracy") else f"{value:.5g}"
        else:
            shown[name] = "" if value is None else str(value)
    return shown


def _row(plan: SearchPlan, trial: Trial, folder: Path) -> TrialRow:
    found, why = plan.measured(trial, folder)
    is_damaged = trial.status == TrialStatus.COMPLETED and not found
    bound = plan.bindings(trial)
    return {
        "trial": f"{int(trial.trial_id):04d}",
        "workdir": plan.run(trial).name,
        "status": DAMAGED if is_damaged else STATUSES[trial.status],
        "score": trial.score,
        **{name: found.get(name) for name in METRICS},
        **{name: bound.get(name, "") for name, _ in plan.space},
        "failure": why,
    }


def _markdown(plan: SearchPlan, table: list[TrialRow]) -> str:
    names = [name for name in table[0] if name != "workdir"]
    lines = [
        f"# {printable(plan.search.title)}",
        "",
        f"Objective: {plan.search.objective}. Accuracies in percent.",
        "",
    ]
    lines += [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    for row in table:
        shown = cells(row)
        lines.append(f"| {' | '.join(_escaped(shown[name]) for name in names)} |")
    return "\n".join(lines) + "\n"


def _escaped(cell: str) -> str:
    """Returns the text of a cell such that Markdown shows it literally."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", printable(cell))


def _best(plan: SearchPlan, table: list[TrialRow], folder: Path, command: str) -> str:
    best, run = table[0], plan.template
    found = [f"{name} = {best[name]}" for name, _ in plan.space if best[name]]
    with parsed(run, *found):
        resolved = config.resolved()
    flags = [
        f"--gin_file={typed_path(folder / BEST)}",
        *([f"--threads={run.threads}"] if run.threads else []),
    ]
    fit = f", loss low enough after {best['epochs_to_fit']}" if best["epochs_to_fit"] else ""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    header = [
        f"{plan.search.title}: the best of {len(table)} trials.",
        "",
        f"Command:   {typed_command('train', *flags)}",
        f"Expect:    train {100 * best['train_accuracy']:.2f}, test {100 * best['test_accuracy']:.2f}, training loss "
        f"{best['train_loss']:.4f} after {best['epochs']} epochs{fit}.",
        f"Seen:      so in trial {best['trial']}, {best['seconds']:.0f} s; the objective, "
        f"{plan.search.objective}, was {best['score']:.5g}.",
        f"From:      {command}",
        f"           {plan.search.algorithm.__name__}, seed {plan.search.seed}, ended {day}.",
        *(f"{'Found:' if k == 0 else '':<11}{line}" for k, line in enumerate(found)),
    ]
    return "\n".join(f"# {printable(line)}".rstrip() for line in header) + "\n" + resolved

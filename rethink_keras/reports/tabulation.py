"""Fills the table of a sweep."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rethink_keras.reports import integrity
from rethink_keras.reports.collect import Run, SweepRecord
from rethink_keras.reports.measures import Measure
from rethink_keras.reports.paper_numbers import Cell
from rethink_keras.reports.paper_results import PaperResult
from rethink_keras.reports.tables import MOST_DRAWN, NONE, Table, TableRow, Value, sized


def tabulate(sweep: SweepRecord, paper_result: PaperResult) -> Table:
    """Returns the table of a sweep beside the paper's numbers."""
    full = sweep.manifest.size == "full" and paper_result.dataset is not None
    cells, of_paper = sweep.cells, paper_result.numbers.rows
    order = list(of_paper) if full else [cell for cell in of_paper if cell in cells]
    order += [cell for cell in cells if cell not in of_paper]
    rows = tuple(_row(sweep, paper_result, cell, full) for cell in order)
    warnings = integrity.of_sweep([run for row in rows for run in row.counted])
    if len(rows) > MOST_DRAWN:
        warnings.append(f"There are {len(rows)} rows. They are not plotted: a plot has at most {MOST_DRAWN}.")
    return Table(
        name=sized(paper_result.name, full or paper_result.dataset is None),
        full=full,
        labels=paper_result.labels,
        measures=paper_result.measures,
        rows=rows,
        warnings=tuple(warnings),
    )


def _row(sweep: SweepRecord, paper_result: PaperResult, cell: Cell, full: bool) -> TableRow:
    network, variant = cell
    runs = sweep.cells.get(cell, ())
    counted = tuple(run for run in runs if run.status == "done")
    dataset = paper_result.dataset
    other_data = integrity.of_other_data(counted, dataset) if full and dataset else []
    return TableRow(
        network=network,
        variant=variant,
        labels=tuple(label.text(network, variant) for label in paper_result.labels),
        values=tuple(
            _value(measure, sweep, paper_result, cell, comparable=full and not other_data)
            for measure in paper_result.measures
        ),
        runs=runs,
        counted=counted,
        warnings=(*integrity.of_cell(counted), *other_data, *_running_averages(paper_result, counted)),
        remarks=tuple(f"{run.name}: {run.trouble or run.progress()}" for run in runs if run.status != "done"),
    )


def _value(
    measure: Measure, sweep: SweepRecord, paper_result: PaperResult, cell: Cell, *, comparable: bool
) -> Value:
    numbers = paper_result.numbers
    paper = numbers.rows.get(cell, {}).get(measure.quantity)
    is_noted = paper is None and measure is paper_result.measures[0]
    paper_note = numbers.notes.get(cell, "") if is_noted else ""
    return Value(measure, paper, paper_note, *_our_number(measure, sweep, cell), comparable)


def _our_number(measure: Measure, sweep: SweepRecord, cell: Cell) -> tuple[float | None, float | None, str]:
    """Returns mean, deviation, and the text in place of a mean."""
    runs = sweep.cells.get(cell, ())
    if not (done := _done(runs)):
        return None, None, _state(runs)
    mean, deviation, note = _over_seeds(measure, done)
    if mean is None or not measure.relative_to:
        return mean, deviation, note
    divisor, _, _ = _over_seeds(measure, _done(sweep.cells.get((cell[0], measure.relative_to), ())))
    if not divisor:
        return None, None, "nothing to relate to"
    return mean / divisor, None if deviation is None else deviation / divisor, ""


def _done(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.status == "done"]


def _over_seeds(measure: Measure, runs: Sequence[Run]) -> tuple[float | None, float | None, str]:
    """Returns mean, deviation, and the text in place of a mean: there is one only if every run has the number."""
    found = [measure.read(run) for run in runs]
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(found):
        share = "" if len(found) == 1 else f" by {len(found) - len(numbers)} of {len(found)}"
        return None, None, measure.absent + share
    if not numbers:
        return None, None, NONE
    return statistics.fmean(numbers), statistics.stdev(numbers) if len(numbers) > 1 else None, ""


def _state(runs: Sequence[Run]) -> str:
    """Returns the text in place of a mean when no run of a row is done."""
    if not runs:
        return NONE
    if len(runs) == 1:
        return {"running": "unfinished", "interrupted": "unfinished"}.get(runs[0].status, runs[0].status)
    statuses = {run.status for run in runs}
    return statuses.pop() if len(statuses) == 1 else "none done"


def _running_averages(paper_result: PaperResult, counted: Sequence[Run]) -> list[str]:
    on_fixed_weights = any(m.quantity in ("train_accuracy", "epochs_to_fit") for m in paper_result.measures)
    if on_fixed_weights and "running_average" in {run.summary["train_metrics"] for run in counted}:
        return ["Training metrics are running averages over the epoch, taken while the weights change."]
    return []

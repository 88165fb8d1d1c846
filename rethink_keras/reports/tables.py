"""A sweep as a table: the paper's figures, ours over seeds, and their difference; as Markdown and CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import statistics
from collections.abc import Sequence

from rethink_keras.reports import integrity, paper
from rethink_keras.reports.collect import Run, Sweep
from rethink_keras.reports.paper_results import Measure, PaperResult
from rethink_keras.system.text import markdown, printable

NONE = "–"
MOST_DRAWN = 200  # rows in a picture
KINDS = ("paper", "ours", "difference", "within")


@dataclasses.dataclass(frozen=True)
class Value:
    """One measure of one row.

    Attributes:
        measure: which.
        paper: the paper's figure; None if it has none.
        paper_note: what the paper says in place of a figure.
        mean: over the seeds that are counted; None if there is none.
        deviation: sample standard deviation over two or more seeds.
        note: why there is no mean.
        judged: whether ours may be compared with the paper's.
    """

    measure: Measure
    paper: float | None
    paper_note: str
    mean: float | None
    deviation: float | None
    note: str
    judged: bool

    @property
    def difference(self) -> float | None:
        """Ours less the paper's, rounded as it is shown."""
        if not self.judged or self.mean is None or self.paper is None:
            return None
        return round(self.mean - self.paper, self.measure.digits)

    @property
    def within(self) -> bool | None:
        """Whether the difference is no greater than the paper's own spread; None where that means nothing."""
        if self.difference is None or not self.measure.judged:
            return None
        return abs(self.difference) <= paper.spread()

    def text(self, kind: str) -> str:
        """One of `KINDS` for people."""
        digits = self.measure.digits
        if kind == "paper":
            return self.paper_note or (NONE if self.paper is None else f"{self.paper:.{digits}f}")
        if kind == "ours":
            if self.mean is None:
                return self.note
            return f"{self.mean:.{digits}f}" + (
                "" if self.deviation is None else f" ± {self.deviation:.{digits}f}"
            )
        if kind == "difference":
            if not self.difference:
                return NONE if self.difference is None else f"{0:.{digits}f}"
            return f"{self.difference:+.{digits}f}".replace("-", "−")
        return {None: NONE, True: "yes", False: "no"}[self.within]


@dataclasses.dataclass(frozen=True)
class Row:
    """A network and variant.

    Attributes:
        network: its key.
        variant: its key.
        labels: what it is, for people: a text a column.
        values: a value a measure.
        runs: all that are planned.
        counted: those of them that are done: only these go into means.
        warnings: what a reader must know before trusting the row.
        remarks: which runs are not counted, and why.
    """

    network: str
    variant: str
    labels: tuple[str, ...]
    values: tuple[Value, ...]
    runs: tuple[Run, ...]
    counted: tuple[Run, ...]
    warnings: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def seeds(self) -> str:
        """How many runs are counted, of how many."""
        if not self.runs:
            return "not in this sweep"
        return f"{len(self.counted)} of {len(self.runs)}"

    @property
    def name(self) -> str:
        """All its labels in a line."""
        return ", ".join(self.labels)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table or figure of the paper beside a sweep's runs.

    Attributes:
        paper_result: of the paper.
        full: whether the sweep is the paper's in size, so that differences mean something.
        rows: the paper's, in its order, then others of the sweep; of a small sweep its own alone.
        warnings: about all rows.
    """

    paper_result: PaperResult
    full: bool
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Columns of figures."""
        return self.paper_result.measures

    @property
    def name(self) -> str:
        """The paper_result's; says so if it is a small version."""
        return (
            self.paper_result.name
            if self.full or not self.paper_result.dataset
            else f"{self.paper_result.name}, small version"
        )

    def kinds(self, measure: Measure) -> tuple[str, ...]:
        """Which of `KINDS` a measure shows: all that mean something in this table."""
        index = self.measures.index(measure)
        if all(row.values[index].text("paper") == NONE for row in self.rows):
            return ("ours",)
        return KINDS[: (2 if not self.full else 4 if measure.judged else 3)]

    def notes(self) -> list[tuple[int, Row, str]]:
        """Warnings of rows, numbered from 1."""
        pairs = [(row, warning) for row in self.rows for warning in row.warnings]
        return [(number, row, warning) for number, (row, warning) in enumerate(pairs, start=1)]

    def marks(self, row: Row) -> list[int]:
        """Numbers of a row's warnings."""
        return [number for number, of, _ in self.notes() if of is row]


def build(sweep: Sweep, paper_result: PaperResult) -> Table:
    """Makes the table of a sweep."""
    full = sweep.manifest.size == "full" and paper_result.dataset is not None
    cells, theirs = sweep.cells, paper.values(paper_result.key)
    order = list(theirs) if full else [cell for cell in theirs if cell in cells]
    order += [cell for cell in cells if cell not in theirs]
    rows = tuple(_row(sweep, paper_result, cell, full) for cell in order)
    counted = [run for row in rows for run in row.counted]
    warnings = integrity.of_sweep(counted)
    if len(rows) > MOST_DRAWN:
        warnings.append(f"They are {len(rows)}, and not drawn: a picture takes {MOST_DRAWN} at most.")
    return Table(paper_result, full, rows, tuple(warnings))


def _row(sweep: Sweep, paper_result: PaperResult, cell: paper.Cell, full: bool) -> Row:
    runs = sweep.cells.get(cell, ())
    counted = tuple(run for run in runs if run.status == "done")
    warnings = integrity.of_cell(counted)
    judged = full
    if (
        full
        and paper_result.dataset
        and (sentence := integrity.not_the_papers(counted, paper_result.dataset))
    ):
        warnings.append(sentence)
        judged = False
    return Row(
        *cell,
        tuple(label.text(*cell) for label in paper_result.labels),
        tuple(
            _value(measure, sweep, paper_result, cell, runs, counted, judged)
            for measure in paper_result.measures
        ),
        runs,
        counted,
        tuple(warnings + _running_averages(paper_result, counted)),
        tuple(f"{run.name}: {run.trouble or run.progress()}" for run in runs if run.status != "done"),
    )


def _value(
    measure: Measure,
    sweep: Sweep,
    paper_result: PaperResult,
    cell: paper.Cell,
    runs: Sequence[Run],
    counted: Sequence[Run],
    judged: bool,
) -> Value:
    theirs = paper.values(paper_result.key).get(cell, {})
    number = theirs.get(measure.quantity)
    has_own_words = number is None and measure.quantity == paper_result.measures[0].quantity
    note = str(theirs.get("note", "")) if has_own_words else ""
    figure = float(number) if number is not None else None
    mean, deviation, why = _over_seeds(measure, counted)
    if not counted:
        why = _state(runs)
    elif mean is not None and measure.relative_to:
        base = sweep.cells.get((cell[0], measure.relative_to), ())
        by, _, _ = _over_seeds(measure, [run for run in base if run.status == "done"])
        mean, deviation, why = _divided(mean, deviation, by)
    return Value(measure, figure, note, mean, deviation, why, judged)


def _over_seeds(measure: Measure, counted: Sequence[Run]) -> tuple[float | None, float | None, str]:
    """Mean, deviation, and why there is none."""
    found = [measure.read(run) for run in counted]
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(found):
        of = "" if len(found) == 1 else f" by {len(found) - len(numbers)} of {len(found)}"
        return None, None, measure.absent + of
    if not numbers:
        return None, None, NONE
    return statistics.fmean(numbers), statistics.stdev(numbers) if len(numbers) > 1 else None, ""


def _divided(
    mean: float, deviation: float | None, by: float | None
) -> tuple[float | None, float | None, str]:
    if not by:
        return None, None, "nothing to relate to"
    return mean / by, None if deviation is None else deviation / by, ""


def _state(runs: Sequence[Run]) -> str:
    """What stands in place of a figure when no run of a row is done."""
    if not runs:
        return NONE
    if len(runs) == 1:
        return {"running": "unfinished", "interrupted": "unfinished"}.get(runs[0].status, runs[0].status)
    kinds = {run.status for run in runs}
    return kinds.pop() if len(kinds) == 1 else "none done"


def _running_averages(paper_result: PaperResult, counted: Sequence[Run]) -> list[str]:
    about_fixed = any(m.quantity in ("train_accuracy", "epochs_to_fit") for m in paper_result.measures)
    kinds = {run.summary["train_metrics"] for run in counted}
    if about_fixed and "running_average" in kinds:
        return ["Training figures are running averages over the epoch, taken while the weights change."]
    return []


def to_markdown(table: Table) -> str:
    """The table in Markdown, its warnings below."""
    heads = [label.title for label in table.paper_result.labels]
    rule = ["---"] * len(heads)
    for measure in table.measures:
        names = [title(table, kind) for kind in table.kinds(measure)]
        heads += [f"{measure.title}: {name}" for name in names]
        rule += ["---:"] * len(names)
    lines = [_line([*heads, "seeds"]), _line([*rule, "---"])]
    for row in table.rows:
        cells = [*row.labels, *(v.text(kind) for v in row.values for kind in table.kinds(v.measure))]
        marks = "".join(f" [{number}]" for number in table.marks(row))
        lines.append(_line([*map(markdown, cells), row.seeds + marks]))
    notes = [
        f"- **[{number}]** {markdown(f'{row.name}: {warning}')}" for number, row, warning in table.notes()
    ]
    notes = [f"- **All rows**: {markdown(warning)}" for warning in table.warnings] + notes
    remarks = [f"- {markdown(remark)}" for row in table.rows for remark in row.remarks]
    text = "\n".join(lines) + "\n"
    if notes:
        text += "\nMind, before trusting a row:\n\n" + "\n".join(notes) + "\n"
    if remarks:
        text += "\nNot counted in any mean:\n\n" + "\n".join(remarks) + "\n"
    return text


def title(table: Table, kind: str) -> str:
    """Heads a column of one of `KINDS`."""
    if kind == "paper" and not table.full:
        return "the paper, at full size"
    return f"within ±{paper.spread():g}" if kind == "within" else kind


def to_csv(table: Table) -> str:
    """The table as CSV: plain numbers, empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("paper", "ours", "deviation", "difference", "within_spread")
    heads = [f"{measure.quantity}_{kind}" for measure in table.measures for kind in kinds]
    writer.writerow(["network", "variant", "size", *heads, "seeds_counted", "seeds_planned", "warnings"])
    for row in table.rows:
        cells: list[str] = []
        for value in row.values:
            numbers = (value.paper, value.mean, value.deviation, value.difference)
            cells += ["" if number is None else f"{number:.6g}" for number in numbers]
            cells.append({None: "", True: "yes", False: "no"}[value.within])
        size = "full" if table.full else "small"
        warnings = " ".join([*table.warnings, *row.warnings])
        writer.writerow([row.network, row.variant, size, *cells, len(row.counted), len(row.runs), warnings])
    return printable(text.getvalue(), keep="\n")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"

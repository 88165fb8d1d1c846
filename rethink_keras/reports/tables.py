"""Tables of the report: the paper's numbers, ours over seeds, and their differences."""

from __future__ import annotations

import dataclasses

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.collect import Run
from rethink_keras.reports.measures import Measure, RowLabel

NONE = "–"
MOST_DRAWN = 200  # rows in a plot
KINDS = ("paper", "ours", "difference", "within")


@dataclasses.dataclass(frozen=True)
class Value:
    """One measure of one row.

    Attributes:
        measure: The measure.
        paper: The paper's number; None if it has none.
        paper_note: Text of the paper in place of a number.
        mean: Mean over the seeds that are counted; None if there is none.
        deviation: Sample standard deviation over two or more seeds.
        note: Text in place of the mean.
        comparable: Whether our number and the paper's are of the same experiment.
    """

    measure: Measure
    paper: float | None
    paper_note: str
    mean: float | None
    deviation: float | None
    note: str
    comparable: bool

    @property
    def difference(self) -> float | None:
        """Our mean minus the paper's number, rounded as it is shown."""
        if not self.comparable or self.mean is None or self.paper is None:
            return None
        return round(self.mean - self.paper, self.measure.digits)

    @property
    def within(self) -> bool | None:
        """Whether the difference is at most the paper's own spread; None where the spread does not apply."""
        if self.difference is None or not self.measure.spread_applies:
            return None
        return abs(self.difference) <= paper_numbers.spread()

    def text(self, kind: str) -> str:
        """Returns one of `KINDS` as it is shown."""
        digits = self.measure.digits
        if kind == "paper":
            return self.paper_note or (NONE if self.paper is None else f"{self.paper:.{digits}f}")
        if kind == "ours":
            if self.mean is None:
                return self.note
            deviation = "" if self.deviation is None else f" ± {self.deviation:.{digits}f}"
            return f"{self.mean:.{digits}f}{deviation}"
        if kind == "difference":
            if not self.difference:
                return NONE if self.difference is None else f"{0:.{digits}f}"
            return f"{self.difference:+.{digits}f}".replace("-", "−")
        return {None: NONE, True: "yes", False: "no"}[self.within]


@dataclasses.dataclass(frozen=True)
class TableRow:
    """A network and variant.

    Attributes:
        network: Network, such as 'mlp_1x512'.
        variant: Variant, such as 'random_labels'.
        labels: Description of the row, a text a column.
        values: Values, one a measure.
        runs: All planned runs.
        counted: The runs that are done. Only these are in means.
        warnings: Reasons not to trust the row, a sentence each.
        remarks: The runs that are not counted, and why.
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
        """How many runs are counted, such as '2 of 3'."""
        if not self.runs:
            return "not in this sweep"
        return f"{len(self.counted)} of {len(self.runs)}"

    @property
    def name(self) -> str:
        """All labels in one line."""
        return ", ".join(self.labels)


@dataclasses.dataclass(frozen=True)
class Table:
    """A table or figure of the paper beside a sweep's runs.

    Attributes:
        name: Name of the paper's table or figure; see `sized`.
        full: Whether the sweep has the paper's size, so that its numbers are compared.
        labels: Columns that describe the rows.
        measures: Columns of numbers.
        rows: The paper's rows in its order, then others of the sweep; in a small sweep only its own rows.
        warnings: Warnings about all rows, a sentence each.
    """

    name: str
    full: bool
    labels: tuple[RowLabel, ...]
    measures: tuple[Measure, ...]
    rows: tuple[TableRow, ...]
    warnings: tuple[str, ...]

    def column(self, quantity: str) -> int:
        """Returns the index of a measure in `measures` and in each row's `values`."""
        return [measure.quantity for measure in self.measures].index(quantity)

    def kinds(self, measure: Measure) -> tuple[str, ...]:
        """Returns those of `KINDS` that a measure shows in this table."""
        index = self.measures.index(measure)
        if all(row.values[index].text("paper") == NONE for row in self.rows):
            return ("ours",)
        return KINDS[: (2 if not self.full else 4 if measure.spread_applies else 3)]

    def notes(self) -> list[tuple[int, TableRow, str]]:
        """Returns the warnings of rows, numbered from 1."""
        pairs = [(row, warning) for row in self.rows for warning in row.warnings]
        return [(number, row, warning) for number, (row, warning) in enumerate(pairs, start=1)]

    def marks(self, row: TableRow) -> list[int]:
        """Returns the numbers of a row's warnings."""
        return [number for number, of, _ in self.notes() if of is row]


def sized(name: str, full: bool) -> str:
    """Returns the name of a table or figure; that of a small sweep says so."""
    return name if full else f"{name}, small version"


def kind_title(table: Table, kind: str) -> str:
    """Returns the heading of a column of one of `KINDS`."""
    if kind == "paper" and not table.full:
        return "the paper, at full size"
    return f"within ±{paper_numbers.spread():g}" if kind == "within" else kind

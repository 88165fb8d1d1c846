"""What a table or figure of the paper must provide to be a section of the report."""

from __future__ import annotations

from collections.abc import Sequence

from rethink_keras.registry import Registry, subclass_of
from rethink_keras.reports import paper_numbers
from rethink_keras.reports.measures import Measure, RowLabel
from rethink_keras.reports.paper_numbers import PaperNumbers
from rethink_keras.reports.plots import Plot, RowPlot
from rethink_keras.reports.tables import Table


class PaperResult:
    """A table or figure of the paper. A subclass defines the attributes; one of a figure also overrides `plots`.

    Attributes:
        name: Name in the paper, such as 'Table 1'.
        title: What it shows, in one line.
        how_to_read: How to read our numbers beside the paper's.
        dataset: TFDS name of the paper's data set; None if the paper has no such experiment.
        numbers: The paper's numbers.
        labels: Columns that describe the rows.
        measures: Columns of numbers.
        plotted: Quantity of the measure that is plotted for each row.
    """

    name: str
    title: str
    how_to_read: str
    dataset: str | None
    numbers: PaperNumbers
    labels: tuple[RowLabel, ...]
    measures: tuple[Measure, ...]
    plotted = "test_accuracy"

    def plots(self, table: Table) -> Sequence[Plot]:
        """Returns the plots of a sweep's table."""
        return [RowPlot(table, self.plotted)]


def _check(result: type[PaperResult]) -> None:
    """Raises TypeError or ValueError for a class that would leave a column or a number of the paper out."""
    subclass_of(PaperResult)(result)
    who = result.__name__
    if missing := [name for name in PaperResult.__annotations__ if not hasattr(result, name)]:
        raise TypeError(f"{who} does not define {', '.join(missing)} of PaperResult.")
    if result.plots is PaperResult.plots and result.plotted not in [m.quantity for m in result.measures]:
        raise ValueError(
            f"{who} plots {result.plotted}, which is no measure of it. Set plotted, or override plots."
        )
    if result.dataset is None:
        return
    paper_numbers.examples(result.dataset)
    claimed = {measure.quantity for measure in result.measures if measure.in_paper}
    if missing := sorted(claimed - result.numbers.quantities):
        raise ValueError(
            f"{who} has measures of which its paper numbers have none: {', '.join(missing)}. Add the numbers to "
            "rethink_keras/reports/data, or set in_paper=False."
        )
    if unused := sorted(result.numbers.quantities - claimed):
        raise ValueError(f"{who} has paper numbers that no measure shows: {', '.join(unused)}.")


PAPER_RESULTS: Registry[type[PaperResult]] = Registry("paper result", _check)
"""The values of `sweep.paper_result`, in the order of the report."""

"""What a plot of the report contains, as numbers: the paper's curves and ours, or a measure of each row."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from rethink_keras.reports.collect import Run
from rethink_keras.reports.names import corruption_level, network_name, variant_name
from rethink_keras.reports.paper_numbers import STEPS_PER_EPOCH, Curve
from rethink_keras.reports.tables import Table, TableRow, sized

PAPER, OURS, SEED, UNFINISHED = "paper", "ours", "one seed", "unfinished"
Points = Sequence[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Series:
    """A curve.

    Attributes:
        name: Name in the legend. Curves of one name have one colour.
        kind: `PAPER`, `OURS` (the mean over seeds), `SEED` or `UNFINISHED`.
        x: Steps, epochs or corruption levels.
        y: Values, as many as `x`.
        deviations: Standard deviations over seeds, as many as `x`; or empty.
        of_training: Whether it is dotted, beside a solid curve of the same name on test data.
    """

    name: str
    kind: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    deviations: tuple[float, ...] = ()
    of_training: bool = False


@dataclasses.dataclass(frozen=True)
class CurvePlot:
    """A plot of curves.

    Attributes:
        key: End of its file's name; empty for a sweep's only plot.
        title: Title.
        x_title: Title of the x axis, with the unit.
        y_title: Title of the y axis, with the unit.
        series: Curves, those of the paper first.
        full: Whether the paper's curves and ours are of the same size.
        markers: Whether single points are marked.
        percent: Whether the y axis ends at 100 percent.
    """

    key: str
    title: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    full: bool
    markers: bool = False
    percent: bool = False

    @property
    def names(self) -> list[str]:
        """The names of the curves, each once."""
        return list(dict.fromkeys(series.name for series in self.series))

    @property
    def description(self) -> str:
        """What it shows, for readers who do not see it."""
        return f"{self.title}: {self.y_title} by {self.x_title}, the paper's and ours"


@dataclasses.dataclass(frozen=True)
class RowPlot:
    """A measure of every row of a table: a dot on a line a row, beside the paper's.

    Attributes:
        table: The table.
        quantity: The measure's quantity.
        key: End of its file's name; empty for a sweep's only plot.
    """

    table: Table
    quantity: str
    key: str = ""

    @property
    def description(self) -> str:
        """What it shows, for readers who do not see it."""
        return f"{self.table.name}: {self.quantity.replace('_', ' ')} of every row, the paper's and ours"


Plot = CurvePlot | RowPlot


def by_step(
    table: Table, paper_curves: Iterable[Curve], columns: Sequence[str], y_title: str
) -> list[CurvePlot]:
    """Returns a plot of columns of metrics.csv by thousand steps; of a small sweep by epochs of its own.

    Args:
        table: Table of the sweep.
        paper_curves: The paper's curves, by step.
        columns: Columns to plot, such as 'train_loss'. Those that end in 'accuracy' are plotted in percent.
        y_title: Title of the y axis, with the unit.

    Returns:
        One plot; none if there is no curve.
    """
    has_networks = len({row.network for row in table.rows}) > 1

    def name_of(network: str, variant: str) -> str:
        """Returns the name of what differs: the network, or else the variant."""
        return network_name(network) if variant == "plain" and has_networks else variant_name(variant)

    unit, scale = ("step", 1e-3) if table.full else ("epoch", 1.0)
    paper_scale = 1e-3 if table.full else 1 / STEPS_PER_EPOCH
    series = []
    for curve in paper_curves:
        if curve.quantity in columns:
            assert curve.variant
            points = [(x * paper_scale, y) for x, y in curve.points]
            name = name_of(curve.network, curve.variant)
            series.append(_series(name, PAPER, points, of_training=curve.quantity == "train_accuracy"))
    for row in table.rows:
        for column in columns:
            series += _series_of_row(row, name_of(row.network, row.variant), column, unit, scale)
    plot = CurvePlot(
        key="",
        title=table.name,
        x_title="thousand steps" if table.full else "epochs",
        y_title=y_title,
        series=tuple(series),
        full=table.full,
        percent=columns[-1].endswith("accuracy"),
    )
    return [plot] if series else []


def by_corruption(
    table: Table, paper_curves: Iterable[Curve], quantity: str, figure: str, y_title: str
) -> list[CurvePlot]:
    """Returns a plot of a measure by corruption level, a curve a network.

    Args:
        table: Table of the sweep.
        paper_curves: The paper's curves, by corruption level.
        quantity: The measure's quantity.
        figure: Number of the paper's figure, such as '1b', which also ends the name of the plot's file.
        y_title: Title of the y axis, with the unit.

    Returns:
        One plot; none if there is no curve.
    """
    networks = list(dict.fromkeys(row.network for row in table.rows))
    series = [
        _series(network_name(curve.network), PAPER, curve.points)
        for curve in paper_curves
        if curve.quantity == quantity and curve.network in networks
    ]
    column = table.column(quantity)
    for network in networks:
        points = [
            (level, value.mean, value.deviation or 0.0)
            for row in table.rows
            if row.network == network
            and (value := row.values[column]).mean is not None
            and (level := corruption_level(row.variant)) is not None
        ]
        if points:
            x, y, deviations = zip(*sorted(points), strict=True)
            series.append(Series(network_name(network), OURS, x, y, deviations))
    title = sized(f"Figure {figure}", table.full)
    plot = CurvePlot(figure, title, "label corruption", y_title, tuple(series), table.full, markers=True)
    return [plot] if series else []


def _series_of_row(row: TableRow, name: str, column: str, unit: str, scale: float) -> Iterator[Series]:
    """Yields the mean over the runs that are done, each of them if there are several, and those that are not done."""
    y_scale = 100.0 if column.endswith("accuracy") else 1.0
    of_training = column == "train_accuracy"

    def points(run: Run) -> Points:
        return [(metrics[unit] * scale, metrics[column] * y_scale) for metrics in run.rows]

    counted = [points(run) for run in row.counted]
    if counted:
        yield _series(name, OURS, _mean(counted), of_training)
    if len(counted) > 1:
        yield from (_series(name, SEED, of_seed, of_training) for of_seed in counted)
    for run in row.runs:
        if run.status not in ("done", "damaged") and run.rows:
            yield _series(name, UNFINISHED, points(run), of_training)


def _mean(runs: Sequence[Points]) -> Points:
    """Returns the mean of curves over the x that all of them have."""
    return [(points[0][0], sum(y for _, y in points) / len(points)) for points in zip(*runs, strict=False)]


def _series(name: str, kind: str, points: Points, of_training: bool = False) -> Series:
    x, y = zip(*points, strict=True)
    return Series(name, kind, x, y, of_training=of_training)

"""What is drawn of a sweep: the paper's curves and ours, as numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from rethink_keras.reports import paper, paper_results
from rethink_keras.reports.collect import Run, Sweep
from rethink_keras.reports.tables import Table

PAPER, OURS, SEED, UNFINISHED = "paper", "ours", "one seed", "unfinished"


@dataclasses.dataclass(frozen=True)
class Series:
    """A curve.

    Attributes:
        name: what it is of; curves of one name have one colour.
        kind: `PAPER`, `OURS` (the mean over seeds), `SEED` or `UNFINISHED`.
        x: steps, epochs or corruption levels.
        y: as long.
        deviations: over seeds, as long; or empty.
        of_training: dotted, beside a solid one of the same name.
    """

    name: str
    kind: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    deviations: tuple[float, ...] = ()
    of_training: bool = False


@dataclasses.dataclass(frozen=True)
class Plot:
    """A plot of curves.

    Attributes:
        key: ends its file's name; empty for a sweep's only plot.
        title: above it.
        x_title: with the unit.
        y_title: likewise.
        series: those of the paper first.
        full: whether the paper's curves and ours are of one size.
        markers: whether the single points matter.
        percent: whether the y axis ends at 100.
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
        """What is drawn, each once."""
        return list(dict.fromkeys(series.name for series in self.series))


def of(sweep: Sweep, table: Table) -> list[Plot]:
    """The plots of curves of a sweep that have something to draw; none for a table."""
    return [plot for plot in _plots(sweep, table) if plot.series]


def _plots(sweep: Sweep, table: Table) -> list[Plot]:
    key = table.paper_result.key
    if key == "figure1a":
        return [_by_step(sweep, table, ("train_loss",), "average training loss")]
    if key in ("figure2a", "figure2b"):
        return [_by_step(sweep, table, ("train_accuracy", "test_accuracy"), "accuracy (%)")]
    if key == "figure1b_1c":
        return [
            _by_level(table, "1b", "relative_time", "Figure 1b", "time to overfit, relative"),
            _by_level(table, "1c", "test_error", "Figure 1c", "test error when fitted (%)"),
        ]
    return []


def _by_step(sweep: Sweep, table: Table, columns: Sequence[str], y_title: str) -> Plot:
    """By thousand steps beside the paper; a small sweep by epochs, since its steps are not the paper's."""
    paper_result, unit = table.paper_result, "step" if table.full else "epoch"
    scale = 1e-3 if table.full else 1.0
    networks = {row.network for row in table.rows}
    labels = {(row.network, row.variant): _name(row.network, row.variant, networks) for row in table.rows}
    series = []
    for curve in paper.curves(paper_result.key):
        if (table.full or paper_result.key != "figure2a") and curve.quantity in columns:
            assert curve.variant
            name = labels.get((curve.network, curve.variant)) or _name(curve.network, curve.variant, networks)
            epochs_or_steps = 1e-3 if table.full else 1 / 391
            points = [(x * epochs_or_steps, y) for x, y in curve.points]
            series.append(_series(name, PAPER, points, of_training=curve.quantity == "train_accuracy"))
    for row in table.rows:
        for column in columns:
            percent = 100.0 if column.endswith("accuracy") else 1.0
            is_dotted = column == "train_accuracy"
            name = labels[row.network, row.variant]
            counted = [_points(run, unit, column, scale, percent) for run in row.counted]
            if counted:
                series.append(_series(name, OURS, _mean(counted), of_training=is_dotted))
            if len(counted) > 1:
                series += [_series(name, SEED, points, of_training=is_dotted) for points in counted]
            for run in row.runs:
                if run.status not in ("done", "damaged") and run.rows:
                    points = _points(run, unit, column, scale, percent)
                    series.append(_series(name, UNFINISHED, points, of_training=is_dotted))
    x_title = "thousand steps" if table.full else "epochs"
    is_percent = columns[-1].endswith("accuracy")
    return Plot(
        "", _title(paper_result.name, table), x_title, y_title, tuple(series), table.full, percent=is_percent
    )


def _by_level(table: Table, key: str, quantity: str, title: str, y_title: str) -> Plot:
    """By corruption level, a curve a network."""
    series = []
    networks = list(dict.fromkeys(row.network for row in table.rows))
    for curve in paper.curves(table.paper_result.key):
        if curve.quantity == quantity and curve.network in networks:
            series.append(_series(paper_results.network(curve.network), PAPER, curve.points))
    index = [measure.quantity for measure in table.measures].index(quantity)
    for network in networks:
        points = [
            (level, value.mean, value.deviation or 0.0)
            for row in table.rows
            if row.network == network
            and (value := row.values[index]).mean is not None
            and (level := paper_results.corruption(row.variant)) is not None
        ]
        if points:
            x, y, deviations = zip(*sorted(points), strict=True)
            series.append(Series(paper_results.network(network), OURS, x, y, deviations))
    return Plot(
        key, _title(title, table), "label corruption", y_title, tuple(series), table.full, markers=True
    )


def _title(name: str, table: Table) -> str:
    return name if table.full else f"{name}, small version"


def _name(network: str, variant: str, networks: set[str]) -> str:
    """By what differs: the variant of one network, or the networks of one variant."""
    return (
        paper_results.network(network)
        if variant == "plain" and len(networks) > 1
        else paper_results.words(variant)
    )


def _points(run: Run, unit: str, column: str, scale: float, percent: float) -> list[tuple[float, float]]:
    return [(row[unit] * scale, row[column] * percent) for row in run.rows]


def _mean(runs: Sequence[Sequence[tuple[float, float]]]) -> Iterator[tuple[float, float]]:
    """As far as all runs go."""
    for points in zip(*runs, strict=False):
        yield points[0][0], sum(y for _, y in points) / len(points)


def _series(name: str, kind: str, points, of_training: bool = False) -> Series:
    x, y = zip(*points, strict=True)
    return Series(name, kind, x, y, of_training=of_training)

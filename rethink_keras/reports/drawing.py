"""Draws the report's plots: the paper's curves pale behind ours, and a table's rows as dots on lines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rethink_keras import plotting
from rethink_keras.plotting import COLOURS, MUTED, PAPER_GREY, RULE
from rethink_keras.reports import paper_numbers
from rethink_keras.reports.names import network_name, variant_name
from rethink_keras.reports.plots import OURS, PAPER, SEED, UNFINISHED, CurvePlot, Plot, RowPlot
from rethink_keras.reports.tables import Table, TableRow, Value
from rethink_keras.system.text import label

WIDTH = 5.2  # inches: legible on a phone without zooming
_DOTTED = (0, (1, 1.6))
_STYLES: dict[str, dict[str, Any]] = {
    PAPER: {"linewidth": 5, "alpha": 0.3, "solid_capstyle": "round", "zorder": 1},
    OURS: {"linewidth": 2, "zorder": 3},
    SEED: {"linewidth": 0.9, "alpha": 0.45, "zorder": 2},
    UNFINISHED: {"linewidth": 1.3, "linestyle": (0, (5, 2)), "zorder": 2},
}


@plotting.style()
def draw(plot: Plot) -> tuple[bytes, bytes]:
    """Returns a plot as PNG and SVG, the same bytes for the same numbers."""
    return _draw_rows(plot) if isinstance(plot, RowPlot) else _draw_curves(plot)


def _draw_curves(plot: CurvePlot) -> tuple[bytes, bytes]:
    figure = plotting.new_figure(WIDTH, 4.4)
    axes = figure.subplots()
    colours = {name: plotting.colour(index) for index, name in enumerate(plot.names)}
    for series in plot.series:
        style = dict(_STYLES[series.kind])
        style["color"] = colours[series.name] if plot.full or series.kind != PAPER else PAPER_GREY
        if series.of_training:
            style |= {"linestyle": _DOTTED, "linewidth": 0.7 * style["linewidth"]}
        if plot.markers and series.kind == OURS:
            style |= {"marker": "o", "markersize": 5}
        axes.plot(series.x, series.y, **style)
        if any(series.deviations):
            bars = {"fmt": "none", "ecolor": style["color"], "capsize": 3, "zorder": 3}
            axes.errorbar(series.x, series.y, series.deviations, **bars)
    axes.set_title(plot.title)
    axes.set(xlabel=plot.x_title, ylabel=plot.y_title)
    plotting.open_axes(axes)
    longest = max((max(series.x) for series in plot.series if series.kind != PAPER), default=0)
    if longest and not plot.full:
        axes.set_xlim(0, longest * 1.03)
    axes.set(ylim=(None, 102) if plot.percent else (0, None))
    handles = _curve_legend(plot, colours)
    columns = 1 if max(len(str(handle.get_label())) for handle in handles) > 30 else 2
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.6)
    return plotting.png_and_svg(figure)


def _curve_legend(plot: CurvePlot, colours: dict[str, str]) -> list[Line2D]:
    ours = {series.name for series in plot.series if series.kind != PAPER}
    named = plot.names if plot.full else [name for name in plot.names if name in ours]
    handles = [Line2D([], [], color=colours[name], linewidth=2, label=label(name)) for name in named]
    titles = {
        PAPER: "the paper" if plot.full else "the paper, at full size",
        OURS: "ours",
        SEED: "ours, one seed",
        UNFINISHED: "ours, unfinished",
    }
    for kind in dict.fromkeys(series.kind for series in plot.series):
        style = dict(_STYLES[kind], color=MUTED)
        if plot.markers and kind == OURS:
            style["marker"] = "o"
        handles.append(Line2D([], [], label=titles[kind], **style))
    if any(series.of_training for series in plot.series):
        handles.append(Line2D([], [], color=MUTED, linestyle=_DOTTED, label="on training data"))
    return handles


def _draw_rows(plot: RowPlot) -> tuple[bytes, bytes]:
    table, column = plot.table, plot.table.column(plot.quantity)
    lines: list[str | TableRow] = []  # the rows, with the network's name before the rows of each network
    for network, rows in itertools.groupby(table.rows, lambda row: row.network):
        lines += [network, *rows]
    figure = plotting.new_figure(WIDTH, 1.5 + 0.26 * len(lines))
    axes = figure.subplots()
    for height, line in enumerate(lines):
        if isinstance(line, TableRow):
            axes.axhline(height, color=RULE, linewidth=0.8, zorder=0)
            _draw_value(axes, line.values[column], height, table.full)
    names = [network_name(line) if isinstance(line, str) else variant_name(line.variant) for line in lines]
    axes.set_yticks(range(len(lines)), [label(name) for name in names])
    for tick_label, line in zip(axes.get_yticklabels(), lines, strict=True):
        tick_label.set_fontweight("bold" if isinstance(line, str) else "normal")
        tick_label.set_fontsize(9.5)
    axes.set(xlim=(-2, 102), ylim=(len(lines) - 0.4, -0.6), xlabel=table.measures[column].title)
    axes.tick_params(axis="y", length=0)
    axes.set_title(table.name)
    axes.grid(axis="x", zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(handles=_row_legend(table), loc="outside lower center", ncols=2)
    return plotting.png_and_svg(figure)


def _draw_value(axes: Axes, value: Value, height: int, full: bool) -> None:
    """Draws the paper's number as a bar, in a full table with its spread, and ours as a dot, or why there is none."""
    if value.paper is not None:
        colour = COLOURS[0] if full else PAPER_GREY
        if full:
            ends = [value.paper - paper_numbers.spread(), value.paper + paper_numbers.spread()]
            axes.plot(ends, [height] * 2, color=colour, alpha=0.3, linewidth=9, zorder=1)
        axes.plot(value.paper, height, "|", color=colour, markersize=11, markeredgewidth=2, zorder=2)
    if value.mean is not None:
        dot: dict[str, Any] = {"fmt": "o", "color": COLOURS[1], "markersize": 6, "capsize": 3, "zorder": 3}
        axes.errorbar(value.mean, height, xerr=value.deviation, **dot)
        return
    note = f"{value.note}; the paper: {value.paper_note}" if value.paper_note else value.note
    x, offset = (0.0, 0) if value.paper is None else (value.paper, -9 if value.paper > 60 else 9)
    style: dict[str, Any] = {"va": "center", "color": MUTED, "fontsize": 8.5, "fontstyle": "italic"}
    style["ha"] = "right" if offset < 0 else "left"
    axes.annotate(note, (x, height), (offset, 0), textcoords="offset points", **style)


def _row_legend(table: Table) -> Sequence[Line2D | Patch]:
    ours = Line2D([], [], color=COLOURS[1], marker="o", linestyle="none", label="ours")
    if table.full:
        spread = f"the paper ± {paper_numbers.spread():g} points"
        return [ours, Patch(color=COLOURS[0], alpha=0.3, label=spread)]
    if any(value.paper is not None for row in table.rows for value in row.values):
        bar: dict[str, Any] = {"color": PAPER_GREY, "marker": "|", "markeredgewidth": 2, "linestyle": "none"}
        return [ours, Line2D([], [], label="the paper, at full size", **bar)]
    return [ours]

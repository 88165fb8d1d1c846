"""Draws: the paper's curves pale behind ours, and a table's rows as dots on a line."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rethink_keras.plotting import COLOURS
from rethink_keras.reports import paper, paper_results
from rethink_keras.reports.plots import OURS, PAPER, SEED, UNFINISHED, Plot
from rethink_keras.reports.tables import Row, Table
from rethink_keras.system.text import label

INK, MUTED, RULE, PAPERS = "#1d2733", "#66717e", "#d5dae0", "#9aa5b1"
WIDTH = 5.2  # inches: legible on a phone without zooming
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "rethink_keras",
    "figure.dpi": 100,
    "text.usetex": False,
    "text.parse_math": False,  # a dollar sign in a name is one
}
_STYLES_OF_KINDS: dict[str, dict[str, Any]] = {
    PAPER: {"linewidth": 5, "alpha": 0.3, "solid_capstyle": "round", "zorder": 1},
    OURS: {"linewidth": 2, "zorder": 3},
    SEED: {"linewidth": 0.9, "alpha": 0.45, "zorder": 2},
    UNFINISHED: {"linewidth": 1.3, "linestyle": (0, (5, 2)), "zorder": 2},
}


def draw(plot: Plot) -> tuple[bytes, bytes]:
    """A plot of curves as PNG and SVG, the same bytes for the same numbers."""
    with _style():
        figure = Figure(figsize=(WIDTH, 4.4), layout="constrained")
        axes = figure.subplots()
        colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(plot.names)}
        for series in plot.series:
            style = dict(_STYLES_OF_KINDS[series.kind])
            style["color"] = colours[series.name] if plot.full or series.kind != PAPER else PAPERS
            if series.of_training:
                style |= {"linestyle": (0, (1, 1.6)), "linewidth": 0.7 * style["linewidth"]}
            if plot.markers and series.kind == OURS:
                style |= {"marker": "o", "markersize": 5}
            axes.plot(series.x, series.y, **style)
            if any(series.deviations):
                axes.errorbar(
                    series.x,
                    series.y,
                    series.deviations,
                    fmt="none",
                    ecolor=style["color"],
                    capsize=3,
                    zorder=3,
                )
        _dress(axes, plot)
        handles = _legend(plot, colours)
        columns = 1 if max(len(str(handle.get_label())) for handle in handles) > 30 else 2
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.6)
        return _saved(figure)


def draw_rows(table: Table, quantity: str) -> tuple[bytes, bytes]:
    """A measure of every row as PNG and SVG: the paper's with its spread, ours with the deviation over seeds."""
    index = [measure.quantity for measure in table.measures].index(quantity)
    lines = _lines(table)
    with _style():
        figure = Figure(figsize=(WIDTH, 1.5 + 0.26 * len(lines)), layout="constrained")
        axes = figure.subplots()
        for height, line in enumerate(lines):
            if isinstance(line, str):
                continue
            value = line.values[index]
            axes.axhline(height, color=RULE, linewidth=0.8, zorder=0)
            if value.paper is not None:
                colour = COLOURS[0] if table.full else PAPERS
                low, high = value.paper - paper.spread(), value.paper + paper.spread()
                if table.full:
                    axes.plot([low, high], [height] * 2, color=colour, alpha=0.3, linewidth=9, zorder=1)
                axes.plot(value.paper, height, "|", color=colour, markersize=11, markeredgewidth=2, zorder=2)
            if value.mean is not None:
                axes.errorbar(
                    value.mean,
                    height,
                    xerr=value.deviation,
                    fmt="o",
                    color=COLOURS[1],
                    markersize=6,
                    capsize=3,
                    zorder=3,
                )
            else:
                said = (
                    value.note if value.paper_note == "" else f"{value.note}; the paper: {value.paper_note}"
                )
                at, side = (value.paper, 9) if value.paper is not None else (0, 0)
                if value.paper is not None and value.paper > 60:
                    side = -9
                axes.annotate(
                    said,
                    (at, height),
                    (side, 0),
                    textcoords="offset points",
                    va="center",
                    ha="right" if side < 0 else "left",
                    color=MUTED,
                    fontsize=8.5,
                    fontstyle="italic",
                )
        axes.set_yticks(
            range(len(lines)),
            [
                label(
                    paper_results.network(line)
                    if isinstance(line, str)
                    else paper_results.words(line.variant)
                )
                for line in lines
            ],
        )
        for tick_label, line in zip(axes.get_yticklabels(), lines, strict=True):
            tick_label.set_fontweight("bold" if isinstance(line, str) else "normal")
            tick_label.set_fontsize(9.5)
        axes.set(xlim=(-2, 102), ylim=(len(lines) - 0.4, -0.6), xlabel=table.measures[index].title)
        axes.tick_params(axis="y", length=0)
        axes.set_title(table.name)
        axes.grid(axis="x", zorder=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        figure.legend(handles=_row_legend(table), loc="outside lower center", ncols=2)
        return _saved(figure)


@contextlib.contextmanager
def _style() -> Iterator[None]:
    """Our style; characters that the font lacks are drawn as boxes without a warning."""
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


def _lines(table: Table) -> list[str | Row]:
    """Rows under the names of their networks."""
    lines: list[str | Row] = []
    network = None
    for row in table.rows:
        if row.network != network:
            network = row.network
            lines.append(network)
        lines.append(row)
    return lines


def _dress(axes, plot: Plot) -> None:
    axes.set_title(plot.title)
    axes.set(xlabel=plot.x_title, ylabel=plot.y_title)
    axes.grid()
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if not plot.full:
        longest = max((max(s.x) for s in plot.series if s.kind != PAPER), default=None)
        if longest:
            axes.set_xlim(0, longest * 1.03)
    if plot.percent:
        axes.set_ylim(top=102)
    else:
        axes.set_ylim(bottom=0)


def _legend(plot: Plot, colours: dict[str, str]) -> list[Line2D]:
    ours = {series.name for series in plot.series if series.kind != PAPER}
    named = plot.names if plot.full else [name for name in plot.names if name in ours]
    handles = [Line2D([], [], color=colours[name], linewidth=2, label=label(name)) for name in named]
    words = {
        PAPER: "the paper" if plot.full else "the paper, at full size",
        OURS: "ours",
        SEED: "ours, one seed",
        UNFINISHED: "ours, unfinished",
    }
    for kind in dict.fromkeys(series.kind for series in plot.series):
        style = dict(_STYLES_OF_KINDS[kind], color=MUTED)
        if plot.markers and kind == OURS:
            style["marker"] = "o"
        handles.append(Line2D([], [], label=words[kind], **style))
    if any(series.of_training for series in plot.series):
        handles.append(Line2D([], [], color=MUTED, linestyle=(0, (1, 1.6)), label="on training data"))
    return handles


def _row_legend(table: Table) -> list:
    handles: list = [Line2D([], [], color=COLOURS[1], marker="o", linestyle="none", label="ours")]
    if table.full:
        handles.append(Patch(color=COLOURS[0], alpha=0.3, label=f"the paper ± {paper.spread():g} points"))
    elif any(value.paper is not None for row in table.rows for value in row.values):
        handles.append(
            Line2D(
                [],
                [],
                color=PAPERS,
                marker="|",
                markeredgewidth=2,
                linestyle="none",
                label="the paper, at full size",
            )
        )
    return handles


def _saved(figure: Figure) -> tuple[bytes, bytes]:
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=200, facecolor="white")
    figure.set_layout_engine("none")  # it is laid out now
    figure.savefig(svg, format="svg", metadata={"Date": None}, facecolor="white")
    return png.getvalue(), svg.getvalue()

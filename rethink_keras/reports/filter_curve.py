"""Error against the number of random filters, for experiments that add them by and by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rethink_keras.reports.learning_curves import COLOURS
from rethink_keras.system.files import open_atomically


def plot(rows: Sequence[dict[str, Any]], path: Path, title: str) -> None:
    """Writes a PNG: test and training error in percent by number of filters.

    Args:
        rows: with 'filters', 'test_error' and 'train_error'.
        path: of the PNG.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained", dpi=130)
    axes = figure.subplots()
    filters = [row["filters"] for row in rows]
    for split, style, colour in (("test", "o-", COLOURS[0]), ("train", "s--", COLOURS[1])):
        axes.plot(filters, [row[f"{split}_error"] for row in rows], style, color=colour, label=split)
    axes.set_xscale("log", base=2)
    axes.set_xticks(filters, [f"{count:,}" for count in filters])
    axes.minorticks_off()
    axes.set(xlabel="random filters", ylabel="error (%)", ylim=(-1, None))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.suptitle(title)
    with open_atomically(path) as file:
        figure.savefig(file, format="png")

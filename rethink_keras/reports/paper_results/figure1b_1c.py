"""Figures 1b and 1c: time to fit and test error by the share of corrupted labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.collect import Run
from rethink_keras.reports.measures import EPOCHS_TO_FIT, NETWORK, Measure, RowLabel
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult
from rethink_keras.reports.plots import Plot, by_corruption
from rethink_keras.reports.tables import Table


def _epochs_to_accuracy(run: Run) -> float | None:
    return run.summary["epochs_to_accuracy"]


def _test_error_when_fitted(run: Run) -> float | None:
    """Returns the test error in percent after the first epoch with a high enough training accuracy."""
    epoch = run.summary["epochs_to_accuracy"]
    return next((100 * (1 - row["test_accuracy"]) for row in run.rows if row["epoch"] == epoch), None)


@PAPER_RESULTS.register("figure1b_1c")
class Figure1bAnd1c(PaperResult):
    """Figures 1b and 1c, of the same runs."""

    name = "Figures 1b and 1c"
    title = "The more labels are corrupted, the longer fitting takes and the higher the test error"
    how_to_read = (
        "1b: the first epoch whose training accuracy is high enough, relative to the same network without corruption. "
        "1c: the test error after that epoch. The paper does not say when a network has fitted; the sweeps say 99 "
        "percent."
    )
    dataset = "cifar10"
    numbers = paper_numbers.of_figure("figure1b_1c")
    labels = (NETWORK, RowLabel("corruption", lambda network, variant: variant.removeprefix("corruption_")))
    measures = (
        dataclasses.replace(EPOCHS_TO_FIT, read=_epochs_to_accuracy),
        Measure(
            "relative_time",
            "relative to no corruption",
            _epochs_to_accuracy,
            absent="not fitted",
            spread_applies=False,
            relative_to="corruption_0.0",
        ),
        Measure("test_error", "test error when fitted (%)", _test_error_when_fitted, absent="not fitted"),
    )

    def plots(self, table: Table) -> Sequence[Plot]:
        """Returns a plot of the relative time and one of the test error."""
        curves = self.numbers.curves
        return [
            *by_corruption(table, curves, "relative_time", "1b", "time to overfit, relative"),
            *by_corruption(table, curves, "test_error", "1c", "test error when fitted (%)"),
        ]

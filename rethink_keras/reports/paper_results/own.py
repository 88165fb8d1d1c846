"""Sweeps of which the paper has no table or figure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from rethink_keras.reports.measures import (
    BEST_TEST_ACCURACY,
    EPOCHS_TO_FIT,
    NETWORK,
    TEST_ACCURACY,
    TRAIN_ACCURACY,
    VARIANT,
)
from rethink_keras.reports.paper_numbers import PaperNumbers
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult
from rethink_keras.reports.plots import Plot, RowPlot
from rethink_keras.reports.tables import Table


@PAPER_RESULTS.register("own")
class OwnSweep(PaperResult):
    """A sweep without numbers of the paper; the default of `sweep.paper_result`."""

    name = "A sweep of one's own"
    title = ""
    how_to_read = "Final accuracies, and the best test accuracy on the way."
    dataset = None
    numbers = PaperNumbers()
    labels = (NETWORK, VARIANT)
    measures = tuple(
        dataclasses.replace(measure, in_paper=False)
        for measure in (TRAIN_ACCURACY, TEST_ACCURACY, BEST_TEST_ACCURACY, EPOCHS_TO_FIT)
    )

    def plots(self, table: Table) -> Sequence[Plot]:
        """Returns a plot of the test accuracies."""
        return [RowPlot(table, "test_accuracy")]

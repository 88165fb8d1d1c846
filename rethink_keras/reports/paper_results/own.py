"""Sweeps of which the paper has no table or figure."""

from __future__ import annotations

from rethink_keras.reports.measures import ACCURACIES, EPOCHS_TO_FIT, NETWORK, VARIANT
from rethink_keras.reports.paper_numbers import PaperNumbers
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult


@PAPER_RESULTS.register("own")
class OwnSweep(PaperResult):
    """A sweep without numbers of the paper; the default of `sweep.paper_result`."""

    name = "A sweep of one's own"
    title = ""
    how_to_read = "Final accuracies, and the best test accuracy on the way."
    dataset = None
    numbers = PaperNumbers()
    labels = (NETWORK, VARIANT)
    measures = (*ACCURACIES, EPOCHS_TO_FIT)

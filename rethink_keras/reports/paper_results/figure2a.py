"""Figure 2a: accuracies of Inception V3 on ImageNet, by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.measures import ACCURACIES, NETWORK, VARIANT
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult
from rethink_keras.reports.plots import Plot, by_step
from rethink_keras.reports.tables import Table


@PAPER_RESULTS.register("figure2a")
class Figure2a(PaperResult):
    """Figure 2a."""

    name = "Figure 2a"
    title = "ImageNet: what early stopping would gain"
    how_to_read = (
        "Accuracy by step, training dotted, test solid. The paper's best on the way is read off its curves."
    )
    dataset = "imagenet2012"
    numbers = paper_numbers.of_figure("figure2a")
    labels = (NETWORK, dataclasses.replace(VARIANT, title="regularizers"))
    measures = ACCURACIES

    def plots(self, table: Table) -> Sequence[Plot]:
        """Returns a plot of the accuracies."""
        # A small sweep is plotted by epochs, and the paper does not give those of its steps on ImageNet.
        curves = self.numbers.curves if table.full else ()
        return by_step(table, curves, ("train_accuracy", "test_accuracy"), "accuracy (%)")

"""Figure 2b: accuracies of the small Inception with and without batch normalization, by step."""

from __future__ import annotations

from collections.abc import Sequence

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.measures import ACCURACIES, NETWORK
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult
from rethink_keras.reports.plots import Plot, by_step
from rethink_keras.reports.tables import Table


@PAPER_RESULTS.register("figure2b")
class Figure2b(PaperResult):
    """Figure 2b."""

    name = "Figure 2b"
    title = "CIFAR-10: batch normalization steadies learning"
    how_to_read = (
        "Accuracy by step, training dotted, test solid. The paper's best on the way is read off its curves."
    )
    dataset = "cifar10"
    numbers = paper_numbers.of_figure("figure2b")
    labels = (NETWORK,)
    measures = ACCURACIES

    def plots(self, table: Table) -> Sequence[Plot]:
        """Returns a plot of the accuracies."""
        return by_step(table, self.numbers.curves, ("train_accuracy", "test_accuracy"), "accuracy (%)")

"""Figure 1a: training loss on randomized labels and pixels, by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.measures import EPOCHS_TO_FIT, NETWORK, VARIANT, Measure
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult
from rethink_keras.reports.plots import Plot, by_step
from rethink_keras.reports.tables import Table


@PAPER_RESULTS.register("figure1a")
class Figure1a(PaperResult):
    """Figure 1a."""

    name = "Figure 1a"
    title = "Random labels and random pixels are fitted, too"
    how_to_read = (
        "Average training loss by step. Ours is the column train_loss of metrics.csv: where it says 'fixed_weights', "
        "the mean over the whole training set after each epoch. The paper does not say what its average goes over; its "
        "points, an epoch apart, are nearer to that than to a running mean."
    )
    dataset = "cifar10"
    numbers = paper_numbers.of_figure("figure1a")
    labels = (NETWORK, dataclasses.replace(VARIANT, title="data"))
    measures = (
        EPOCHS_TO_FIT,
        Measure(
            "train_loss",
            "final training loss",
            lambda run: run.summary["final"]["train_loss"],
            digits=4,
            spread_applies=False,
        ),
    )

    def plots(self, table: Table) -> Sequence[Plot]:
        """Returns a plot of the training loss."""
        return by_step(table, self.numbers.curves, ("train_loss",), "average training loss")

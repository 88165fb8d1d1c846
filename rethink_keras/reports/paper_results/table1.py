"""Table 1: accuracies of small networks on CIFAR-10."""

from __future__ import annotations

import dataclasses

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.measures import (
    BEST_TEST_ACCURACY,
    LABELS,
    NETWORK,
    TEST_ACCURACY,
    TRAIN_ACCURACY,
    RowLabel,
    has,
)
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult


@PAPER_RESULTS.register("table1")
class Table1(PaperResult):
    """Table 1."""

    name = "Table 1"
    title = "CIFAR-10: every network fits random labels as it fits the true ones"
    how_to_read = "Final accuracies on fixed weights, over the whole training and test set."
    dataset = "cifar10"
    numbers = paper_numbers.of_table("table1")
    labels = (
        NETWORK,
        LABELS,
        RowLabel("random crop", has("crop")),
        RowLabel("weight decay", has("weight_decay")),
    )
    measures = (TRAIN_ACCURACY, TEST_ACCURACY, dataclasses.replace(BEST_TEST_ACCURACY, in_paper=False))

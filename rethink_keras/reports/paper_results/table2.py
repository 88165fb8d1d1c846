"""Table 2: accuracies of Inception V3 on ImageNet."""

from __future__ import annotations

import dataclasses

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.measures import (
    BEST_TEST_ACCURACY,
    LABELS,
    NETWORK,
    TEST_ACCURACY,
    TRAIN_ACCURACY,
    Measure,
    RowLabel,
    has,
    percent,
)
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult


@PAPER_RESULTS.register("table2")
class Table2(PaperResult):
    """Table 2."""

    name = "Table 2"
    title = "ImageNet: Inception V3 with and without regularizers"
    how_to_read = (
        "Top-1 and top-5 accuracies at the end. The best on the way is what early stopping would have taken, the "
        "paper's brackets."
    )
    dataset = "imagenet2012"
    numbers = paper_numbers.of_table("table2")
    labels = (
        NETWORK,
        LABELS,
        RowLabel("augmentation", has("augmentation")),
        RowLabel("dropout", has("dropout")),
        RowLabel("weight decay", has("weight_decay")),
    )
    measures = (
        dataclasses.replace(TRAIN_ACCURACY, title="train top-1 (%)"),
        Measure("train_top5_accuracy", "train top-5 (%)", percent("final", "train_top5_accuracy")),
        dataclasses.replace(TEST_ACCURACY, title="test top-1 (%)"),
        Measure("test_top5_accuracy", "test top-5 (%)", percent("final", "test_top5_accuracy")),
        dataclasses.replace(BEST_TEST_ACCURACY, title="best test top-1 on the way (%)", spread_applies=True),
        Measure(
            "best_test_top5_accuracy",
            "best test top-5 on the way (%)",
            percent("best_on_the_way", "test_top5_accuracy"),
        ),
    )

"""Table 2: accuracies of Inception V3 on ImageNet."""

from __future__ import annotations

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.measures import LABELS, NETWORK, RowLabel, accuracy, best_accuracy, has
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
        accuracy("train_accuracy", "train top-1 (%)"),
        accuracy("train_top5_accuracy", "train top-5 (%)"),
        accuracy("test_accuracy", "test top-1 (%)"),
        accuracy("test_top5_accuracy", "test top-5 (%)"),
        best_accuracy("test_accuracy", "best test top-1 on the way (%)"),
        best_accuracy("test_top5_accuracy", "best test top-5 on the way (%)"),
    )

"""Table 4: training accuracy on random labels with one regularizer."""

from __future__ import annotations

import dataclasses

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.collect import Run
from rethink_keras.reports.measures import NETWORK, TRAIN_ACCURACY, RowLabel
from rethink_keras.reports.names import variant_name
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult


def _fitting_accuracy(run: Run) -> float:
    """Returns the training accuracy in percent: with augmentation that over the last epoch's images (appendix E)."""
    assert run.plan
    if {"crop", "flip_rotate"} & set(run.plan.variant.split("+")):
        return 100 * run.rows[-1]["running_accuracy"]
    return 100 * run.summary["final"]["train_accuracy"]


def _regularizer(network: str, variant: str) -> str:
    return variant_name(variant.removeprefix("random_labels+"))


@PAPER_RESULTS.register("table4")
class Table4(PaperResult):
    """Table 4."""

    name = "Table 4"
    title = "Fitting random labels with a regularizer on"
    how_to_read = (
        "Training accuracy on random labels: on fixed weights with weight decay, and running over the last epoch's "
        "augmented images with random crop or flip and rotation, as the paper's appendix E has it."
    )
    dataset = "cifar10"
    numbers = paper_numbers.of_table("table4")
    labels = (NETWORK, RowLabel("regularizer", _regularizer))
    measures = (dataclasses.replace(TRAIN_ACCURACY, read=_fitting_accuracy),)
    plotted = "train_accuracy"

"""Columns of the report's tables: numbers of runs, and labels of rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from rethink_keras.reports.collect import Run
from rethink_keras.reports.names import network_name, variant_name


@dataclasses.dataclass(frozen=True)
class Measure:
    """A number of each run, shown as a mean over seeds beside the paper's number.

    Attributes:
        quantity: Name in CSV files, and name of the paper's number in its data.
        title: Heading of the column, with the unit.
        read: Returns the number of a run that is done, or None if the run has none.
        in_paper: Whether the paper has this number for some row.
        absent: Text in place of the mean where a run has no number.
        digits: Digits after the decimal point.
        spread_applies: Whether a difference is compared with the paper's own spread, in points of accuracy.
        relative_to: Variant of the same network by whose mean the number is divided; None for no division.
    """

    quantity: str
    title: str
    read: Callable[[Run], float | None]
    _: dataclasses.KW_ONLY
    in_paper: bool = True
    absent: str = "not measured"
    digits: int = 2
    spread_applies: bool = True
    relative_to: str | None = None


@dataclasses.dataclass(frozen=True)
class RowLabel:
    """A column that describes the rows.

    Attributes:
        title: Heading of the column.
        text: Returns the text of a row from its network and variant.
    """

    title: str
    text: Callable[[str, str], str]


def accuracy(quantity: str, title: str) -> Measure:
    """Returns the measure of a final accuracy in percent, such as 'test_accuracy'."""
    return Measure(quantity, title, lambda run: _percent(run.summary["final"].get(quantity)))


def best_accuracy(quantity: str, title: str, *, spread_applies: bool = True) -> Measure:
    """Returns the measure of the best accuracy on the way, in percent; see `Measure` for the arguments."""
    return Measure(
        f"best_{quantity}",
        title,
        lambda run: _percent(run.summary["best_on_the_way"].get(quantity)),
        spread_applies=spread_applies,
    )


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def has(part: str) -> Callable[[str, str], str]:
    """Returns a function for a column of 'yes' and 'no': whether a variant such as 'crop+weight_decay' has a part."""
    return lambda network, variant: "yes" if part in variant.split("+") else "no"


NETWORK = RowLabel("network", lambda network, variant: network_name(network))
VARIANT = RowLabel("variant", lambda network, variant: variant_name(variant))
LABELS = RowLabel(
    "labels", lambda network, variant: "random" if "random_labels" in variant.split("+") else "true"
)

TRAIN_ACCURACY = accuracy("train_accuracy", "train accuracy (%)")
TEST_ACCURACY = accuracy("test_accuracy", "test accuracy (%)")
BEST_TEST_ACCURACY = best_accuracy("test_accuracy", "best test on the way (%)", spread_applies=False)
ACCURACIES = (TRAIN_ACCURACY, TEST_ACCURACY, BEST_TEST_ACCURACY)
EPOCHS_TO_FIT = Measure(
    "epochs_to_fit",
    "epochs to fit",
    lambda run: run.summary["epochs_to_fit"],
    absent="not fitted",
    digits=1,
    spread_applies=False,
)

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


def percent(group: str, name: str) -> Callable[[Run], float | None]:
    """Returns a function that reads an accuracy in percent from a group of summary.json, such as 'final'."""

    def read(run: Run) -> float | None:
        value = run.summary[group].get(name)
        return None if value is None else 100 * value

    return read


def has(part: str) -> Callable[[str, str], str]:
    """Returns a function that says whether a variant such as 'crop+weight_decay' has a part."""
    return lambda network, variant: "yes" if part in variant.split("+") else "no"


NETWORK = RowLabel("network", lambda network, variant: network_name(network))
VARIANT = RowLabel("variant", lambda network, variant: variant_name(variant))
LABELS = RowLabel(
    "labels", lambda network, variant: "random" if "random_labels" in variant.split("+") else "true"
)

TRAIN_ACCURACY = Measure("train_accuracy", "train accuracy (%)", percent("final", "train_accuracy"))
TEST_ACCURACY = Measure("test_accuracy", "test accuracy (%)", percent("final", "test_accuracy"))
BEST_TEST_ACCURACY = Measure(
    "best_test_accuracy",
    "best test on the way (%)",
    percent("best_on_the_way", "test_accuracy"),
    spread_applies=False,
)
EPOCHS_TO_FIT = Measure(
    "epochs_to_fit",
    "epochs to fit",
    lambda run: run.summary["epochs_to_fit"],
    absent="not fitted",
    digits=1,
    spread_applies=False,
)

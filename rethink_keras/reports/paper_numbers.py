"""The paper's numbers: Tables 1, 2 and 4, and the curves of Figures 1 and 2."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

Cell = tuple[str, str]
"""Network and variant."""
STEPS_PER_EPOCH = 391  # of CIFAR-10 in batches of 128
FIT_LOSS = 0.05
_NO_QUANTITIES = ("network", "variant", "note")


@dataclasses.dataclass(frozen=True)
class Curve:
    """A curve of one of the paper's figures.

    Attributes:
        network: Network, such as 'inception'.
        variant: Variant, such as 'random_labels'; None where x stands for the variant (Figures 1b and 1c).
        quantity: Quantity, such as 'test_accuracy'.
        points: Pairs (x, y): x in steps or as corruption level; y in percent, nats, epochs or as a ratio.
    """

    network: str
    variant: str | None
    quantity: str
    points: tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True)
class PaperNumbers:
    """The numbers of one table or figure.

    Attributes:
        rows: Numbers by quantity for each row, in the paper's order.
        notes: Text that a row has in place of its number.
        curves: Curves of a figure, in the paper's order.
    """

    rows: Mapping[Cell, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    notes: Mapping[Cell, str] = dataclasses.field(default_factory=dict)
    curves: tuple[Curve, ...] = ()

    @property
    def quantities(self) -> set[str]:
        """The quantities of all rows."""
        return {quantity for row in self.rows.values() for quantity in row}


def of_table(key: str) -> PaperNumbers:
    """Returns the numbers of a table, from data/paper_tables.json.

    Raises:
        ValueError: The file has no such table.
    """
    rows: dict[Cell, dict[str, float]] = {}
    notes = {}
    for entry in _entries("paper_tables.json", key):
        cell = (entry["network"], entry["variant"])
        rows[cell] = {name: value for name, value in entry.items() if name not in _NO_QUANTITIES}
        if "note" in entry:
            notes[cell] = entry["note"]
    return PaperNumbers(rows, notes)


def of_figure(key: str) -> PaperNumbers:
    """Returns the curves of a figure, from data/paper_figures.json, and the numbers read off them.

    These are the last value of each curve, the greatest test accuracy ('best_test_accuracy') and the first epoch with a
    loss of at most 0.05 ('epochs_to_fit').

    Raises:
        ValueError: The file has no such figure.
    """
    curves = tuple(
        Curve(c["network"], c.get("variant"), c["quantity"], tuple((x, y) for x, y in c["points"]))
        for c in _entries("paper_figures.json", key)
    )
    rows: dict[Cell, dict[str, float]] = {}
    for curve in curves:
        if curve.variant is None:
            for x, y in curve.points:
                rows.setdefault((curve.network, f"corruption_{x}"), {})[curve.quantity] = y
        else:
            rows.setdefault((curve.network, curve.variant), {}).update(_numbers_of(curve))
    return PaperNumbers(rows, {}, curves)


def sources() -> list[str]:
    """Returns where the numbers come from, a text a file."""
    files = (_load("paper_tables.json"), _load("paper_figures.json"))
    return [f"{file['source']}. {file['note']}" for file in files]


def spread() -> float:
    """Returns how far the paper's tables and figures disagree about one network, in points of accuracy."""
    return _load("paper_tables.json")["spread"]


def examples(dataset: str) -> tuple[int, int]:
    """Returns the numbers of training and test examples of a data set in the paper.

    Raises:
        ValueError: The paper does not use the data set.
    """
    datasets = _load("paper_tables.json")["data"]
    if dataset not in datasets:
        raise ValueError(f"paper_tables.json has no data set {dataset!r}, only {', '.join(datasets)}.")
    return datasets[dataset]["train_examples"], datasets[dataset]["test_examples"]


def _numbers_of(curve: Curve) -> dict[str, float]:
    heights = [y for _, y in curve.points]
    numbers = {curve.quantity: heights[-1]}
    if curve.quantity == "test_accuracy":
        numbers["best_test_accuracy"] = max(heights)
    if curve.quantity == "train_loss":  # a point an epoch
        numbers["epochs_to_fit"] = next(n for n, loss in enumerate(heights, start=1) if loss <= FIT_LOSS)
    return numbers


def _entries(file: str, key: str) -> list[dict[str, Any]]:
    content = _load(file)
    if key not in content:
        raise ValueError(f"rethink_keras/reports/data/{file} has no entry {key!r}.")
    return content[key]


@functools.cache
def _load(name: str) -> dict[str, Any]:
    text = resources.files("rethink_keras.reports").joinpath("data", name).read_text(encoding="utf-8")
    return json.loads(text)

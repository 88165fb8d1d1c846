"""The paper's numbers: Tables 1, 2 and 4, and the curves of figures 1 and 2."""

from __future__ import annotations

import dataclasses
import functools
import json
from importlib import resources
from typing import Any

Cell = tuple[str, str]
"""Network and variant."""


@dataclasses.dataclass(frozen=True)
class Curve:
    """A curve of one of the paper's figures.

    Attributes:
        network: such as 'inception'.
        variant: such as 'random_labels'; None where a point's x stands for the variant (figures 1b, 1c).
        quantity: such as 'test_accuracy'.
        points: x in steps or as corruption level; y in percent, nats, epochs or as a ratio.
    """

    network: str
    variant: str | None
    quantity: str
    points: tuple[tuple[float, float], ...]


def sources() -> list[str]:
    """Where the numbers come from, a line a file."""
    return [f"{_tables()['source']}. {_tables()['note']}", f"{_figures()['source']}. {_figures()['note']}"]


def spread() -> float:
    """How far the paper's figures and tables disagree about one network, in points of accuracy."""
    return _tables()["spread"]


def examples(dataset: str) -> tuple[int, int]:
    """Training and test examples of a data set as the paper uses it."""
    counts = _tables()["data"][dataset]
    return counts["train_examples"], counts["test_examples"]


def curves(paper_result: str) -> list[Curve]:
    """The curves of a figure, in the paper's order; none of a table."""
    return [
        Curve(c["network"], c.get("variant"), c["quantity"], tuple((x, y) for x, y in c["points"]))
        for c in _figures().get(paper_result, [])
    ]


@functools.cache
def values(paper_result: str) -> dict[Cell, dict[str, float | str]]:
    """What the paper says of each row of a table or figure, in its order.

    Of curves: the last value, the greatest test accuracy ('best_…') and the first epoch of 391 steps with a
    loss of at most 0.05 are read off.
    """
    if paper_result in ("table1", "table2", "table4"):
        return {
            (row["network"], row["variant"]): {
                name: value for name, value in row.items() if name not in ("network", "variant")
            }
            for row in _tables()[paper_result]
        }
    found: dict[Cell, dict[str, float | str]] = {}
    for curve in curves(paper_result):
        if curve.variant is None:
            for x, y in curve.points:
                found.setdefault((curve.network, f"corruption_{x}"), {})[curve.quantity] = y
        else:
            found.setdefault((curve.network, curve.variant), {}).update(_read_off(curve))
    return found


def _read_off(curve: Curve) -> dict[str, float | str]:
    heights = [y for _, y in curve.points]
    read: dict[str, float | str] = {curve.quantity: heights[-1]}
    if curve.quantity == "test_accuracy":
        read["best_test_accuracy"] = max(heights)
    if curve.quantity == "train_loss":
        read["epochs_to_fit"] = next(n for n, loss in enumerate(heights, start=1) if loss <= 0.05)
    return read


@functools.cache
def _tables() -> dict[str, Any]:
    return _load("paper_tables.json")


@functools.cache
def _figures() -> dict[str, Any]:
    return _load("paper_figures.json")


def _load(name: str) -> dict[str, Any]:
    text = resources.files("rethink_keras.reports").joinpath("data", name).read_text(encoding="utf-8")
    return json.loads(text)

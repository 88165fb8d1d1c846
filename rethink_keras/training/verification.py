"""Whether two runs are the same run, to the bit, and if not, from where on they differ."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from rethink_keras.errors import RunsDifferError, UserError

_TIMES = ("seconds",)
_ORDER = ("train_data", "test_data", "randomization", "epoch_order")


def verify(one: str | Path, other: str | Path) -> str:
    """A sentence that both are the same run.

    The fingerprints of data, randomization, epoch order and final weights are compared, and every column of
    every epoch, times aside.

    Args:
        one: a workdir.
        other: another.

    Raises:
        RunsDifferError: if they differ; says in what, or from which epoch on.
        UserError: if one of them holds no run.
    """
    first, second = _read(Path(one)), _read(Path(other))
    differing = [
        name for name in _ORDER if first[0]["fingerprints"].get(name) != second[0]["fingerprints"].get(name)
    ]
    if differing:
        words = " and ".join(name.replace("_", " ") for name in differing)
        raise RunsDifferError(f"{one} and {other} differ from the beginning on: in their {words}.")
    for number, (row, paired) in enumerate(zip(first[1], second[1], strict=False), start=1):
        columns = [name for name in row if name not in _TIMES and row[name] != paired.get(name)]
        if columns:
            raise RunsDifferError(
                f"{one} and {other} differ from epoch {number} on: in {', '.join(columns)}."
            )
    lengths = len(first[1]), len(second[1])
    if lengths[0] != lengths[1]:
        shorter = min(lengths)
        raise RunsDifferError(
            f"{one} and {other} are the same for {shorter} epochs, but one has {lengths[0]} and the other {lengths[1]}."
        )
    weights = [run[0]["fingerprints"].get("weights") for run in (first, second)]
    if (weights[0] is None) != (weights[1] is None):
        unfinished = one if weights[0] is None else other
        raise RunsDifferError(
            f"{one} and {other} are the same in every epoch, but {unfinished} is not done yet."
        )
    if weights[0] != weights[1]:
        raise RunsDifferError(f"{one} and {other} differ in their final weights, though not in any figure.")
    compared = f"{lengths[0]} epochs, the data, the randomization, the epoch order"
    if weights[0] is None:
        return f"{one} and {other} are the same run so far: {compared}. Neither is done, so weights are not compared."
    return f"{one} and {other} are the same run: {compared} and the final weights are equal to the bit."


def _read(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} holds no run. Name the workdir of one.") from error
    if "fingerprints" not in summary:
        raise UserError(f"{folder} holds no run that can be compared: its summary.json has no fingerprints.")
    return summary, rows

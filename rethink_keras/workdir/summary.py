"""Reads summary.json: which fields it has, of which kind, and which of them are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rethink_keras.errors import DamagedError
from rethink_keras.workdir.json_files import printable_json, read_json
from rethink_keras.workdir.kinds import is_count, is_number, is_share, is_text
from rethink_keras.workdir.text_files import shown

DONE, RUNNING, INTERRUPTED, DIVERGED = "done", "running", "interrupted", "diverged"
ENDED = (DONE, DIVERGED)

Summary = dict[str, Any]
"""The fields of summary.json by name; empty without the file."""

Check = Callable[[object], bool]


def read_summary(path: Path) -> Summary:
    """Returns the content of a summary.json.

    Fields that this version does not know are kept.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: The file cannot be read, which says nothing about its content.
        DamagedError: A field is missing that was written by all versions, or is of another kind.
    """
    summary = printable_json(read_json(path))
    if not isinstance(summary, dict):
        raise DamagedError(f"{shown(path)} is no summary")
    needed, known = _STATUS, {**_TRAINING, **_OPTIONAL}
    if is_training(summary):
        needed = {**_TRAINING, **(_MEASURED if summary.get("epochs") else {})}
        known |= _MEASURED
    if missing := [name for name in needed if name not in summary]:
        raise DamagedError(f"{shown(path)} lacks {missing[0]}")
    for name, check in known.items():
        if name in summary and not check(summary[name]):
            raise DamagedError(f"{shown(path)} has no readable {name}")
    if is_training(summary) and summary["status"] == DONE and not summary["epochs"]:
        raise DamagedError(f"{shown(path)} is done without an epoch")
    return summary


def is_training(summary: Summary) -> bool:
    """Returns whether a summary is that of a network's training, not of an experiment of section 4 or 5."""
    return _THEORY not in summary or "epochs" in summary


def _is_dict_of_texts(value: object) -> bool:
    return isinstance(value, dict) and all(map(is_text, value.values()))


def _is_flat_dict(value: object) -> bool:
    return isinstance(value, dict) and not any(isinstance(item, (dict, list)) for item in value.values())


def _metrics(*needed: str) -> Check:
    """Returns a check for metrics by name, `needed` among them."""

    def check(value: object) -> bool:
        if not isinstance(value, dict) or not set(needed) <= set(value):
            return False
        return all(
            is_share(number) if name.endswith("_accuracy") else is_number(number)
            for name, number in value.items()
        )

    return check


_THEORY = "cpu_seconds"  # Only experiments of sections 4 and 5 write it.
_STATUS: dict[str, Check] = {"status": lambda value: value in (DONE, RUNNING, INTERRUPTED, DIVERGED)}
_TRAINING: dict[str, Check] = {
    **_STATUS,
    "epochs": is_count,
    "seed": is_count,
    "model": is_text,
    "dataset": is_text,
    "train_examples": is_count,
    "test_examples": is_count,
    "randomization": _is_flat_dict,
    "fingerprints": _is_dict_of_texts,
    "versions": _is_dict_of_texts,
    "device": is_text,
}
"""Needed of a run of training."""
_MEASURED: dict[str, Check] = {
    "final": _metrics("train_loss", "train_accuracy", "test_loss", "test_accuracy"),
    "best_on_the_way": _metrics("test_accuracy"),
    "epochs_to_fit": lambda value: value is None or is_count(value),
    "epochs_to_accuracy": lambda value: value is None or is_count(value),
    "train_metrics": is_text,
    "fit_loss": is_number,
    "fit_accuracy": is_number,
}
"""Needed of a run of training once an epoch is measured."""
_OPTIONAL: dict[str, Check] = {
    "date": is_text,
    "explicit_regularization": lambda value: isinstance(value, bool),
    "configuration": is_text,
    "computed_by": lambda value: isinstance(value, list) and all(map(_is_dict_of_texts, value)),
    "rows": lambda value: isinstance(value, list) and all(isinstance(row, dict) for row in value),
}
"""Added in later versions, or written by some runs only."""

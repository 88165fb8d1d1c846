"""The lines that a run prints before it trains: one for each part, with aligned labels."""

from __future__ import annotations

from typing import Any

from rethink_keras.data.batches import Batches
from rethink_keras.training.config import RunConfig
from rethink_keras.training.data import Data

_WIDTH = 16


def line(label: str, text: str) -> str:
    """Returns a line of a label and a text; the texts of all such lines begin in the same column."""
    return f"{label + ':':<{_WIDTH}}{text}"


def data_line(data: Data) -> str:
    """Returns the data set, the numbers of its examples and their randomization."""
    splits = data.splits
    size = " x ".join(str(length) for length in data.train.input_shape)
    return line(
        "Data",
        f"{splits.train.name}, {splits.train.num_examples:,} training and {splits.test.num_examples:,} test images "
        f"of {size}, {splits.train.num_classes:,} classes; {splits.randomization.describe()}",
    )


def network_line(facts: dict[str, Any]) -> str:
    """Returns the network and its number of parameters.

    Args:
        facts: Of the run, see `facts_of_run`.
    """
    return line("Network", f"{facts['model']}, {facts['trainable_parameters']:,} trainable parameters")


def length_line(config: RunConfig, train: Batches) -> str:
    """Returns the number of epochs and of their steps, how often the network is evaluated, and the seed."""
    options, evaluation = config.train, config.evaluation
    parts = [
        f"{options.epochs:,} of {train.steps(options.batch_size):,} steps (batch size {options.batch_size})"
    ]
    if evaluation.every_epochs > 1:
        parts.append(f"evaluated after every {evaluation.every_epochs}")
    if evaluation.stop_when != "never":
        limit = getattr(evaluation, evaluation.stop_when)
        parts.append(f"fewer if train_{evaluation.stop_when.removeprefix('fit_')} reaches {limit:g}")
    return line("Epochs", f"{', '.join(parts)}, seed {options.seed}")

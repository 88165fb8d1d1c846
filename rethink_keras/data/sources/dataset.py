"""The configured data set, found by its name."""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path

import gin

from rethink_keras.data.sources import tfds_set
from rethink_keras.data.sources.image_set import ImageSet
from rethink_keras.data.sources.source import SOURCES, Source
from rethink_keras.data.sources.streamed_set import StreamedSet
from rethink_keras.errors import UserError
from rethink_keras.validation import check_int


def find_source(parameter: str, name: object, data_dir: str | Path | None = None) -> Source:
    """Returns the data set that a gin parameter or a flag names: one in `SOURCES`, or any other of TFDS.

    Args:
        parameter: The parameter or flag, for messages.
        name: The name; a set of TFDS may have a configuration and a version, as in 'emnist/letters:3.1.0'.
        data_dir: TFDS data folder, which may have sets that the installed TFDS does not know.

    Raises:
        UserError: There is none of that name.
        DataNotAvailableError: What is on disk under that name is not a prepared data set.
    """
    if isinstance(name, str) and name in SOURCES:
        return SOURCES[name](name)
    found = tfds_set.find(parameter, name, data_dir) if isinstance(name, str) else None
    if found is None:
        near = difflib.get_close_matches(str(name), [*SOURCES, *tfds_set.known_names()], 1, 0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(
            f"{parameter} is {name!r}, which is no data set.{hint} Choose one of {', '.join(map(repr, SOURCES))}, or "
            "an image classification set of TFDS."
        )
    return found


@gin.configurable("dataset", denylist=["data_dir"])
@dataclasses.dataclass(frozen=True)
class Dataset:
    """The configured data set, and how many of its examples are taken.

    Attributes:
        name: A name in `SOURCES`, or that of another image classification set of TFDS, see `tfds_set.TfdsSet`.
        train_examples: Number of training examples to take, those with the lowest ids; None takes all.
        test_examples: Likewise for the test set.
        data_dir: TFDS data folder; None leaves it to TFDS (`TFDS_DATA_DIR`, else `~/tensorflow_datasets`).
        source: The data set itself.
    """

    name: str = "digits"
    train_examples: int | None = None
    test_examples: int | None = None
    data_dir: str | Path | None = None
    source: Source = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self):
        # Here, once: gin may have another configuration by the time that the data are read.
        object.__setattr__(self, "source", find_source("dataset.name", self.name, self.data_dir))
        for name in ("train_examples", "test_examples"):
            if getattr(self, name) is not None:
                check_int(f"dataset.{name}", getattr(self, name), 1)

    def open(self, split: str) -> ImageSet | StreamedSet:
        """Opens 'train' or 'test', as `Source.open` does."""
        count = self.train_examples if split == "train" else self.test_examples
        return self.source.open(split, self.data_dir, count)

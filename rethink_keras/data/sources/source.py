"""Data sets that `dataset.name` can name, and the configuration of the data set."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import gin

from rethink_keras.data.sources.image_set import ImageSet
from rethink_keras.data.sources.streamed_set import StreamedSet
from rethink_keras.errors import UserError
from rethink_keras.registry import Registry, subclass_of
from rethink_keras.validation import check_int


class Source(abc.ABC):
    """A data set by name. Register a subclass in `SOURCES`.

    Args:
        name: The name that the subclass is registered under.
    """

    def __init__(self, name: str):
        self.name = name

    @property
    @abc.abstractmethod
    def train_examples(self) -> int:
        """The published number of training examples; a class attribute will do.

        A sweep computes the work of its runs from it without reading data.
        """

    @abc.abstractmethod
    def open(self, split: str, data_dir: str | Path | None, count: int | None) -> ImageSet | StreamedSet:
        """Opens one split, with ids that never change.

        Args:
            split: 'train' or 'test'.
            data_dir: Data folder; None for the default.
            count: Number of examples to take, those with the lowest ids; None takes all.

        Raises:
            DataNotAvailableError: The data are neither on disk nor reachable, or damaged.
            UserError: There are fewer than `count` examples.
        """

    def prepare(self, data_dir: str | Path | None, archives: Sequence[Path] = ()) -> Path:
        """Puts the data set on disk, from archives if any are given, and returns its folder.

        Raises:
            UserError: This set needs no preparation, or an archive is not the publisher's.
        """
        raise UserError(f"The data set {self.name} needs no preparation. Train on it as it is.")


SOURCES: Registry[type[Source]] = Registry("data set", subclass_of(Source))


def find_source(parameter: str, name: object) -> Source:
    """Returns the data set that a gin parameter or a flag names.

    Raises:
        UserError: There is none of that name.
    """
    return SOURCES.find(parameter, name)(str(name))


@gin.configurable("dataset", denylist=["data_dir"])
@dataclasses.dataclass(frozen=True)
class Dataset:
    """The configured data set, and how many of its examples are taken.

    Attributes:
        name: A name in `SOURCES`.
        train_examples: Number of training examples to take, those with the lowest ids; None takes all.
        test_examples: Likewise for the test set.
        data_dir: TFDS data folder; None leaves it to TFDS (`TFDS_DATA_DIR`, else `~/tensorflow_datasets`).
    """

    name: str = "digits"
    train_examples: int | None = None
    test_examples: int | None = None
    data_dir: str | Path | None = None

    def __post_init__(self):
        find_source("dataset.name", self.name)
        for name in ("train_examples", "test_examples"):
            if getattr(self, name) is not None:
                check_int(f"dataset.{name}", getattr(self, name), 1)

    def open(self, split: str) -> ImageSet | StreamedSet:
        """Opens 'train' or 'test', as `Source.open` does."""
        count = self.train_examples if split == "train" else self.test_examples
        return find_source("dataset.name", self.name).open(split, self.data_dir, count)


def check_count(name: str, split: str, count: int | None, total: int) -> None:
    """Raises UserError if more examples of a split are requested than there are; None requests all."""
    if count is not None:
        check_int(f"dataset.{split}_examples (of {name})", count, 1, total)

"""The base class of data sets, and the registry of those that this project has by name."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rethink_keras.data.sources.image_set import ImageSet
from rethink_keras.data.sources.streamed_set import StreamedSet
from rethink_keras.errors import UserError
from rethink_keras.registry import Registry, subclass_of
from rethink_keras.system import machine
from rethink_keras.validation import check_int

GIB = 2**30


class Source(abc.ABC):
    """A data set by name. Register a subclass in `SOURCES`.

    Args:
        name: The name that the subclass is registered under.
    """

    regularized_by_default: ClassVar[bool] = True
    """Whether weight decay and dropout that are not configured have the network's defaults."""

    def __init__(self, name: str):
        self.name = name

    @property
    def bindings(self) -> tuple[str, ...]:
        """Gin bindings with which a process in another folder has the same data; a sweep adds them to its runs."""
        return ()

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


def check_count(name: str, split: str, count: int | None, total: int) -> None:
    """Raises UserError if more examples of a split are requested than there are; None requests all."""
    if count is not None:
        check_int(f"dataset.{split}_examples (of {name})", count, 1, total)


def check_fits(name: str, needed: int) -> None:
    """Raises UserError unless the images of a split fit into memory.

    Args:
        name: Name of the data set or of its file, for the message.
        needed: Size of the images in bytes.
    """
    if needed > (free := machine.free_memory()):
        raise UserError(
            f"The images of {name} need {needed / GIB:.2f} GiB of memory, and {max(free, 0) / GIB:.2f} GiB are free. "
            "Free some memory, or take a set with fewer or smaller images."
        )

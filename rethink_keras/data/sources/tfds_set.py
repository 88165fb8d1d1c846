"""Any image classification set of TFDS, by its name there."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import ClassVar

import gin
import numpy as np
import tensorflow_datasets as tfds

from rethink_keras.data.sources.image_set import ImageSet
from rethink_keras.data.sources.source import GIB, check_count, check_fits
from rethink_keras.data.sources.streamed_set import StreamedSet
from rethink_keras.data.sources.tfds_source import Layout, TfdsSource, read
from rethink_keras.errors import DataNotAvailableError, UserError

NAME = re.compile(r"[a-z_]\w*(/[\w.-]+)?(:\d+\.\d+\.\d+)?")  # name/configuration:version
TEST_SPLITS = ("test", "validation")  # the first of them that a set has is the test set
# A constant, because streamed images are in another order: a run must not depend on the memory of its machine.
MOST_BYTES_IN_MEMORY = GIB


@gin.configurable("tfds", denylist=["name", "data_dir"])
@dataclasses.dataclass(frozen=True)
class TfdsSet(TfdsSource):
    """An image classification set of TFDS that this project has no class for.

    Its features are those that TFDS names as supervised, or else `image` and `label`. Regularization that is not
    configured is off, because no default was published for it here.

    Attributes:
        name: Name in TFDS, with a configuration or a version if it needs one, such as 'emnist/letters:3.1.0'.
        data_dir: TFDS data folder, from which the number of examples is read.
        train: Split of TFDS that is the training set, or a part of one, such as 'train[:80%]'.
        test: Split of TFDS that is the test set, or a part of one; None takes 'test', or else 'validation'.
        streamed: Whether images are read from disk in every epoch and resized to `preprocessing.crop`, as ImageNet's
            are. None streams a set whose images differ in size or take more than 1 GiB in both splits together.
    """

    name: str
    data_dir: str | Path | None = None
    train: str = "train"
    test: str | None = None
    streamed: bool | None = None

    regularized_by_default: ClassVar[bool] = False

    @property
    def train_examples(self) -> int:
        """The number of training examples of the set on disk.

        Raises:
            DataNotAvailableError: The set is not on disk.
            UserError: It has no such split.
        """
        builder = self.builder(self.data_dir)
        if not builder.info.splits:
            raise DataNotAvailableError(
                f"The number of training examples of {self.name} is not known before it is prepared. Run bin/data "
                f"prepare --dataset={self.name}, or set dataset.train_examples."
            )
        return _count(builder, self._layout(builder, "train"))

    def open(self, split: str, data_dir: str | Path | None, count: int | None) -> ImageSet | StreamedSet:
        """Opens one split, in memory or streamed, see `Source.open`.

        Raises:
            DataNotAvailableError: The set is neither on disk nor reachable, or damaged.
            UserError: It is no image classification set, has no such split or fewer than `count` examples, or does
                not fit into memory.
        """
        builder = self.prepared_builder(data_dir)
        layout = self._layout(builder, split)
        if split == "test" and self.test is None and layout.split != TEST_SPLITS[0]:
            print(
                f"Note: {self.name} has no split 'test'. Its test set here is {layout.split!r}.", flush=True
            )
        total = _count(builder, layout)
        check_count(self.name, split, count, total)
        if self._is_streamed(builder):
            if total != builder.info.splits[layout.split].num_examples:
                raise UserError(
                    f"{self.name} is streamed, and only whole splits can be: leave the part of {layout.split!r} out, "
                    "or write the images to files for dataset.name = 'arrays'."
                )
            features = {"image": layout.image, "label": layout.label}
            return StreamedSet(self.name, split, builder, layout.split, None, count, **features)
        check_fits(self.name, math.prod(builder.info.features[layout.image].shape) * (count or total))
        return read(builder, self.name, split, count, layout)

    def _layout(self, builder: tfds.core.DatasetBuilder, split: str) -> Layout:
        """Returns where a split is in TFDS."""
        image, label = _supervised(self.name, builder.info)
        parts = {which: self._part(builder, which) for which in ("train", "test")}
        (train, first, end), (test, other_first, other_end) = parts.values()
        if train == test and first < other_end and other_first < end:
            raise UserError(
                f"The training and the test set of {self.name} have examples in common. Set tfds.train = "
                f"'{train}[:80%]' and tfds.test = '{train}[80%:]', for example."
            )
        name, start, stop = parts[split]
        return Layout(name, start, stop, image, label, numbered=False)

    def _part(self, builder, split) -> tuple[str, int, int]:
        """Returns a split of TFDS, the first example taken of it and the one after the last."""
        splits = builder.info.splits
        requested = self.train if split == "train" else self.test
        if requested is None:
            requested = next((name for name in TEST_SPLITS if name in splits), None)
        known = ", ".join(map(repr, splits))
        if requested is None:
            raise UserError(
                f"{self.name} has no test set; it has {known}. Take a part of one, such as tfds.train = "
                "'train[:80%]' and tfds.test = 'train[80%:]'."
            )
        try:
            (part,) = tfds.core.ReadInstruction.from_spec(requested).to_absolute(splits)
        except (ValueError, KeyError, AssertionError) as error:
            raise UserError(
                f"tfds.{split} is {requested!r}, and {self.name} has {known}. Give one of them, or a part of one, "
                "such as 'train[:80%]'."
            ) from error
        total = splits[part.splitname].num_examples
        first, end, _ = slice(part.from_, part.to).indices(total)
        return part.splitname, first, end

    def _is_streamed(self, builder) -> bool:
        image, _ = _supervised(self.name, builder.info)
        shape = builder.info.features[image].shape
        if None in shape:
            if self.streamed is False:
                raise UserError(
                    f"The images of {self.name} differ in size, so that they can only be streamed. Leave "
                    "tfds.streamed out."
                )
            return True
        if self.streamed is not None:
            return self.streamed
        examples = sum(_count(builder, self._layout(builder, split)) for split in ("train", "test"))
        return math.prod(shape) * examples > MOST_BYTES_IN_MEMORY


def find(parameter: str, name: str, data_dir: str | Path | None) -> TfdsSet | None:
    """Returns the set of a name in TFDS, or None if TFDS has none of that name.

    Args:
        parameter: The parameter or flag that names it, for messages.
        name: The name, maybe with configuration and version.
        data_dir: TFDS data folder, which may have sets that the installed TFDS has no code for.

    Raises:
        UserError: TFDS has the set, but not this configuration or version.
        DataNotAvailableError: What is on disk under that name is not a prepared data set.
    """
    if not NAME.fullmatch(name):
        return None
    source = TfdsSet(name, data_dir)
    folder = None if data_dir is None else str(data_dir)
    try:
        tfds.builder(name, data_dir=folder)
    except tfds.core.DatasetNotFoundError:
        return None
    except Exception as error:  # many kinds, for a wrong name as well as for files that are not TFDS's own
        plain = re.split("[/:]", name)[0]
        if plain == name or plain not in known_names():
            source.builder(data_dir)  # reports the files
        choices = ", ".join(sorted(tfds.builder_cls(plain).builder_configs)) or "no configurations"
        raise UserError(
            f"{parameter} is {name!r}, which TFDS does not have: the installed one has {plain} in version "
            f"{tfds.builder_cls(plain).VERSION} and with {choices}."
        ) from error
    return source


def known_names() -> list[str]:
    """Returns the names of all data sets that the installed TFDS has code for, of whatever kind."""
    return tfds.list_builders(with_community_datasets=False)


def _count(builder, layout: Layout) -> int:
    total = builder.info.splits[layout.split].num_examples
    return len(range(*slice(layout.start, layout.stop).indices(total)))


def _supervised(name: str, info: tfds.core.DatasetInfo) -> tuple[str, str]:
    """Returns the names of the features with the image and with the label.

    Raises:
        UserError: The set is none of images with one label each.
    """
    keys = info.supervised_keys or ("image", "label")
    features = info.features if isinstance(info.features, tfds.features.FeaturesDict) else {}
    if len(keys) != 2 or not all(isinstance(key, str) and key in features for key in keys):
        raise UserError(f"{name} has no image and label for each example. Take an image classification set.")
    image, label = (features[key] for key in keys)
    if not isinstance(image, tfds.features.Image) or not isinstance(label, tfds.features.ClassLabel):
        kinds = f"{type(image).__name__} and {type(label).__name__}"
        raise UserError(
            f"{name} has {kinds} as features {keys[0]} and {keys[1]}. Take an image classification set, with Image and "
            "ClassLabel."
        )
    if image.np_dtype != np.uint8 or image.shape[-1] not in (1, 3):
        raise UserError(
            f"{name} has images {image.shape} of {image.np_dtype.__name__}. Take a set of uint8 images of 1 or 3 "
            "channels."
        )
    if not label.num_classes or label.num_classes < 2:
        raise UserError(f"{name} has {label.num_classes or 'no'} classes. Take a set of two or more.")
    return keys

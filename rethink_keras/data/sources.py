"""Original images, labels and ids by data set name, read through TFDS.

Small sets are read whole into memory as uint8; `imagenet2012` streams (see `streaming`). Nothing here is
randomized or preprocessed.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from pathlib import Path

import gin
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from rethink_keras.data import preparation
from rethink_keras.data.randomization import PixelStatistics
from rethink_keras.errors import DataNotAvailableError, UserError

IN_MEMORY = ("digits", "mnist", "fashion_mnist", "cifar10", "cifar100")
STREAMED = ("imagenet2012",)
NAMES = IN_MEMORY + STREAMED
TRAIN_EXAMPLES = {  # as published; for counting a run's work without its data
    "digits": 1438,
    "mnist": 60_000,
    "fashion_mnist": 60_000,
    "cifar10": 50_000,
    "cifar100": 50_000,
    "imagenet2012": 1_281_167,
}


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """One split in memory.

    Attributes:
        name: the data set's.
        split: 'train' or 'test'.
        images: uint8 `[examples, height, width, channels]`.
        labels: int64 `[examples]`.
        ids: int64 `[examples]`, ascending: the position in the original files where the data set has it
            (CIFAR), else the position in the fixed read order.
        class_names: one for each class.
    """

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    class_names: tuple[str, ...]

    @property
    def num_examples(self) -> int:
        """The number of examples."""
        return len(self.ids)

    @property
    def num_classes(self) -> int:
        """The number of classes of the data set, also of those that no label here has."""
        return len(self.class_names)

    @property
    def is_test(self) -> bool:
        """Whether this is the test set."""
        return self.split == "test"

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of images, labels and ids."""
        digest = hashlib.sha256(repr((self.images.shape, self.num_classes)).encode())
        for array in (self.images, self.labels, self.ids):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @functools.cached_property
    def pixel_statistics(self) -> PixelStatistics:
        """Mean and standard deviation of each channel over all images, in 0..255."""
        # Counting values keeps it exact and needs no float copy of the images.
        levels = np.arange(256, dtype=np.float64)
        channels = self.images.shape[-1]
        counts = np.stack([np.bincount(self.images[..., c].ravel(), minlength=256) for c in range(channels)])
        total = counts.sum(axis=1)
        mean = counts @ levels / total
        return PixelStatistics(mean, np.sqrt(counts @ levels**2 / total - mean**2))

    def first(self, count: int | None) -> ImageSet:
        """The `count` examples with the lowest ids; all for None.

        Raises:
            UserError: if there are not so many.
        """
        if count is None:
            return self
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= len(self.ids):
            raise UserError(
                f"{count!r} {self.split} examples of {self.name} are asked for. "
                f"Give a whole number from 1 to {len(self.ids)}."
            )
        return dataclasses.replace(
            self, images=self.images[:count], labels=self.labels[:count], ids=self.ids[:count]
        )


@gin.configurable("dataset", denylist=["data_dir"])
@dataclasses.dataclass(frozen=True)
class Dataset:
    """Which data set, and how much of it.

    Attributes:
        name: one of `NAMES`.
        train_examples: take only so many training examples, those with the lowest ids; None takes all.
        test_examples: likewise for the test set.
        data_dir: TFDS data folder; None leaves it to TFDS (`TFDS_DATA_DIR`, else `~/tensorflow_datasets`).
    """

    name: str = "digits"
    train_examples: int | None = None
    test_examples: int | None = None
    data_dir: str | Path | None = None

    def __post_init__(self):
        check_name(self.name)


def check_name(name: str) -> None:
    """Raises UserError unless `name` is a data set we know."""
    if name not in NAMES:
        raise UserError(f"There is no data set {name!r}. Choose one of {', '.join(NAMES)}.")


def load(name: str, split: str, data_dir: str | Path | None = None) -> ImageSet:
    """Reads one split of a small data set whole, sorted by id.

    Raises:
        DataNotAvailableError: if the set is neither on disk nor to be had.
    """
    return read(preparation.prepared_builder(name, data_dir), name, split)


def read(builder: tfds.core.DatasetBuilder, name: str, split: str) -> ImageSet:
    """Reads one split of a prepared TFDS builder whole, sorted by id.

    Raises:
        DataNotAvailableError: if the files are damaged, or not what they should be.
    """
    try:
        return _read(builder, name, split)
    except (tf.errors.OpError, ValueError, KeyError) as error:
        reason = str(getattr(error, "message", error)).strip().splitlines()[0][:200]
        raise DataNotAvailableError(
            f"The {split} files of {name} in {builder.data_dir} are damaged or not of that data set ({reason}). "
            "Remove the folder and prepare it anew by bin/data prepare."
        ) from error


def _read(builder, name, split):
    info = builder.info
    count = info.splits[split].num_examples
    images = np.empty((count, *info.features["image"].shape), np.uint8)
    labels = np.empty(count, np.int64)
    ids = np.arange(count)
    has_ids = "id" in info.features
    position = 0
    for batch in _in_file_order(builder, split):
        end = position + len(batch["label"])
        if batch["image"].dtype != np.uint8 or batch["image"].shape[1:] != images.shape[1:]:
            raise ValueError(f"images are {batch['image'].dtype} {batch['image'].shape[1:]}")
        images[position:end] = batch["image"]
        labels[position:end] = batch["label"]
        if has_ids:
            ids[position:end] = [_number(i) for i in batch["id"].tolist()]
        position = end
    class_names = tuple(info.features["label"].names)
    if position != count:
        raise ValueError(f"{position} examples in place of {count}")
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(f"labels from {labels.min()} to {labels.max()} for {len(class_names)} classes")
    if has_ids:
        order = np.argsort(ids)
        images, labels, ids = images[order], labels[order], ids[order]
        if len(np.unique(ids)) != count:
            raise ValueError("an id stands twice")
    return ImageSet(name, split, images, labels, ids, class_names)


def _in_file_order(builder, split):
    """Batches of decoded examples in the order of the files, pictures decoded on all cores."""
    options = tf.data.Options()
    options.deterministic = True
    read_config = tfds.ReadConfig(interleave_cycle_length=1, options=options)
    decoders = {"image": tfds.decode.SkipDecoding()}
    encoded = builder.as_dataset(split=split, shuffle_files=False, read_config=read_config, decoders=decoders)
    image = builder.info.features["image"]

    def decode(example):
        return {**example, "image": image.decode_example(example["image"])}

    decoded = encoded.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    return decoded.batch(1000).prefetch(1).as_numpy_iterator()


def _number(example_id: bytes | int) -> int:
    # CIFAR's ids read b'train_16399': the position in the original files.
    return example_id if isinstance(example_id, int) else int(example_id.rsplit(b"_", 1)[-1])

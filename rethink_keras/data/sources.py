"""Original images, labels and ids by data set name, read through TFDS.

Small sets are read whole into memory as uint8; `imagenet2012` streams (see `streaming`). Nothing here is
randomized or preprocessed.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
from pathlib import Path

import gin
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from rethink_keras.data import preparation
from rethink_keras.data.dataset_options import options
from rethink_keras.data.randomization import PixelStatistics
from rethink_keras.errors import DataNotAvailableError, UserError
from rethink_keras.validation import check_int

IN_MEMORY = ("digits", "mnist", "fashion_mnist", "cifar10", "cifar100")
CHUNK = 500  # records parsed or pictures decoded at a time
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
        for name in ("train_examples", "test_examples"):
            if getattr(self, name) is not None:
                check_int(f"dataset.{name}", getattr(self, name), 1)


def check_name(name: str) -> None:
    """Raises UserError unless `name` is a data set we know."""
    if name not in NAMES:
        raise UserError(f"There is no data set {name!r}. Choose one of {', '.join(NAMES)}.")


def check_count(name: str, split: str, count: int | None, total: int) -> None:
    """Raises UserError unless `count` of `total` examples of a split can be taken; None takes all."""
    if count is not None and (
        isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= total
    ):
        raise UserError(
            f"{count!r} {split} examples of {name} are asked for. Give a whole number from 1 to {total}."
        )


def load(name: str, split: str, data_dir: str | Path | None = None, count: int | None = None) -> ImageSet:
    """Reads one split of a small data set, sorted by id; `count` takes only so many, those with the lowest ids.

    Raises:
        DataNotAvailableError: if the set is neither on disk nor to be had.
        UserError: if there are not so many.
    """
    return read(preparation.prepared_builder(name, data_dir), name, split, count)


def read(builder: tfds.core.DatasetBuilder, name: str, split: str, count: int | None = None) -> ImageSet:
    """Reads one split of a prepared TFDS builder, as `load` does.

    Raises:
        DataNotAvailableError: if the files are damaged, or not what they should be.
        UserError: if there are not `count` examples.
    """
    total = builder.info.splits[split].num_examples
    check_count(name, split, count, total)
    try:
        return _read(builder, name, split, count)
    except (tf.errors.OpError, ValueError, KeyError) as error:
        reason = str(getattr(error, "message", error)).strip().splitlines()[0][:200]
        raise DataNotAvailableError(
            f"The {split} files of {name} in {builder.data_dir} are damaged or not of that data set ({reason}). "
            "Remove the folder and prepare it anew by bin/data prepare."
        ) from error


def _read(builder, name, split, count):
    info = builder.info
    records = _records(builder, split)
    labels, total = records["label"], len(records["label"])
    class_names = tuple(info.features["label"].names)
    if total != info.splits[split].num_examples:
        raise ValueError(f"{total} examples in place of {info.splits[split].num_examples}")
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(f"labels from {labels.min()} to {labels.max()} for {len(class_names)} classes")
    ids = np.array([_number(i) for i in records["id"].tolist()]) if "id" in records else np.arange(total)
    if len(np.unique(ids)) != total:
        raise ValueError("an id stands twice")
    taken = np.argsort(ids)[:count]
    images = _decoded(records["image"][taken], info.features["image"])
    return ImageSet(name, split, images, labels[taken], ids[taken], class_names)


def _records(builder, split) -> dict[str, np.ndarray]:
    """Columns of a split in the order of its files, pictures as they are encoded.

    TFRecords are parsed by the hundred: TFDS's own reading, one by one, costs more than the decoding.
    """
    info = builder.info
    if info.file_format != tfds.core.FileFormat.TFRECORD:
        raise ValueError(f"{info.file_format.value} files in place of tfrecord")
    columns = {"image": tf.string, "label": tf.int64}
    if "id" in info.features:  # as text (CIFAR) or as a number
        columns["id"] = tf.int64 if info.features["id"].np_dtype == np.int64 else tf.string
    parsed = {name: tf.io.FixedLenFeature([], dtype) for name, dtype in columns.items()}
    files = tf.data.TFRecordDataset([os.fspath(path) for path in info.splits[split].filepaths])
    batches = files.batch(CHUNK).map(lambda batch: tf.io.parse_example(batch, parsed)).with_options(options())
    read = list(batches.as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in read]) for name in columns}


def _decoded(encoded: np.ndarray, feature) -> np.ndarray:
    """Decodes pictures on all cores; uint8 `[examples, height, width, channels]`."""

    def decode(chunk):
        return tf.map_fn(feature.decode_example, chunk, fn_output_signature=tf.uint8)

    images = np.empty((len(encoded), *feature.shape), np.uint8)
    chunks = tf.data.Dataset.from_tensor_slices(encoded).batch(CHUNK)
    decoded = chunks.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    for number, chunk in enumerate(decoded.with_options(options()).as_numpy_iterator()):
        if chunk.shape[1:] != images.shape[1:]:
            raise ValueError(f"images are {chunk.shape[1:]}")
        images[number * CHUNK :][: len(chunk)] = chunk
    return images


def _number(example_id: bytes | int) -> int:
    # CIFAR's ids read b'train_16399': the position in the original files.
    return example_id if isinstance(example_id, int) else int(example_id.rsplit(b"_", 1)[-1])

"""Data sets that TFDS prepares on disk, and those of them that are read whole into memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from rethink_keras.data.dataset_options import options
from rethink_keras.data.sources import preparation
from rethink_keras.data.sources.image_set import ImageSet
from rethink_keras.data.sources.source import SOURCES, Source, check_count
from rethink_keras.errors import DataNotAvailableError

CHUNK = 500  # records parsed, or images decoded, at a time


class TfdsSource(Source):
    """A data set that TFDS has under the same name; `image` and `label` are its features."""

    embedded = False  # generated from installed files, without a download

    def builder(self, data_dir: str | Path | None) -> tfds.core.DatasetBuilder:
        """Returns the TFDS builder, whether the set is prepared or not."""
        return preparation.tfds_builder(self.name, data_dir)

    def prepared_builder(self, data_dir: str | Path | None) -> tfds.core.DatasetBuilder:
        """Returns the TFDS builder of the set on disk, prepared now if it is not there.

        Raises:
            DataNotAvailableError: The set is neither on disk nor reachable.
        """
        return preparation.prepared_builder(lambda: self.builder(data_dir), embedded=self.embedded)

    def prepare(self, data_dir: str | Path | None, archives: Sequence[Path] = ()) -> Path:
        """Puts the set on disk and returns its folder, see `Source.prepare`."""
        if archives:
            return preparation.prepare_from_archives(lambda: self.builder(data_dir), archives)
        return Path(self.prepared_builder(data_dir).data_dir)


class InMemorySource(TfdsSource):
    """A data set of TFDS that is read whole into memory."""

    def open(self, split: str, data_dir: str | Path | None, count: int | None) -> ImageSet:
        """Reads one split, sorted by id, see `Source.open`."""
        return read(self.prepared_builder(data_dir), self.name, split, count)


@SOURCES.register("mnist")
class Mnist(InMemorySource):
    """`mnist`: images `[28, 28, 1]` of ten digits; 60,000 train and 10,000 test examples."""

    train_examples = 60_000


@SOURCES.register("fashion_mnist")
class FashionMnist(InMemorySource):
    """`fashion_mnist`: images `[28, 28, 1]` of ten kinds of clothes; 60,000 train and 10,000 test examples."""

    train_examples = 60_000


@SOURCES.register("cifar10")
class Cifar10(InMemorySource):
    """`cifar10`: images `[32, 32, 3]` in ten classes; 50,000 train and 10,000 test examples."""

    train_examples = 50_000


@SOURCES.register("cifar100")
class Cifar100(InMemorySource):
    """`cifar100`: images `[32, 32, 3]` in 100 classes; 50,000 train and 10,000 test examples."""

    train_examples = 50_000


def read(builder: tfds.core.DatasetBuilder, name: str, split: str, count: int | None = None) -> ImageSet:
    """Reads one split of a prepared TFDS builder, sorted by id.

    Args:
        builder: The set on disk, in TFRecord files.
        name: Name of the data set, for the result and for messages.
        split: 'train' or 'test'.
        count: Number of examples to take, those with the lowest ids; None takes all.

    Raises:
        DataNotAvailableError: The files are damaged, or are not those of an image classification set.
        UserError: There are fewer than `count` examples.
    """
    check_count(name, split, count, builder.info.splits[split].num_examples)
    try:
        return _read(builder, name, split, count)
    except (tf.errors.OpError, ValueError, KeyError) as error:
        reason = str(getattr(error, "message", error)).strip().splitlines()[0][:200]
        raise DataNotAvailableError(
            f"The {split} files of {name} in {builder.data_dir} are damaged or not of that data set ({reason}). "
            "Remove the folder and prepare the set again: bin/data prepare."
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
        raise ValueError("two examples have the same id")
    taken = np.argsort(ids)[:count]
    images = _decoded(records["image"][taken], info.features["image"])
    return ImageSet(name, split, images, labels[taken], ids[taken], class_names)


def _records(builder, split) -> dict[str, np.ndarray]:
    """Returns the columns of a split in the order of its files, images still encoded.

    TFDS reads record by record, which takes longer than decoding the images; here a chunk of records is parsed
    by one operation.
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
    """Decodes images on all cores; returns uint8 `[examples, height, width, channels]`."""

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

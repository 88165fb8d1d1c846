"""Data sets that TFDS prepares on disk, and those of them that are read whole into memory."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from rethink_keras.data.dataset_options import options
from rethink_keras.data.sources import preparation
from rethink_keras.data.sources.image_set import MOST_ID, ImageSet
from rethink_keras.data.sources.source import SOURCES, Source, check_count
from rethink_keras.errors import DataNotAvailableError, UserError

CHUNK = 500  # records parsed, or images decoded, at a time


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the examples of a split are in a prepared set of TFDS.

    Attributes:
        split: Name of the split in TFDS.
        start: First example taken, by its position in the order of the files.
        stop: The example after the last one taken; None takes all.
        image: Name of the feature with the image.
        label: Name of the feature with the label.
        numbered: Whether a feature `id` must number the examples. If not, a set whose ids are no numbers has positions
            in their place.
    """

    split: str
    start: int = 0
    stop: int | None = None
    image: str = "image"
    label: str = "label"
    numbered: bool = True


class TfdsSource(Source):
    """A data set that TFDS has under the same name; `image` and `label` are its features."""

    embedded = False  # generated from installed files, without a download

    def builder(self, data_dir: str | Path | None) -> tfds.core.DatasetBuilder:
        """Returns the TFDS builder, whether the set is prepared or not.

        Raises:
            DataNotAvailableError: What is on disk under that name is not a prepared data set.
        """
        try:
            return tfds.builder(self.name, data_dir=None if data_dir is None else str(data_dir))
        except Exception as error:  # TFDS raises many kinds for files that are not its own
            raise preparation.unreadable_error(self.name, data_dir or "the TFDS folder", error) from error

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


def read(
    builder: tfds.core.DatasetBuilder,
    name: str,
    split: str,
    count: int | None = None,
    layout: Layout | None = None,
) -> ImageSet:
    """Reads one split of a prepared TFDS builder, sorted by id.

    Args:
        builder: The set on disk, in TFRecord files.
        name: Name of the data set, for the result and for messages.
        split: 'train' or 'test'.
        count: Number of examples to take, those with the lowest ids; None takes all.
        layout: Where the examples are; None for the whole TFDS split of the same name.

    Raises:
        DataNotAvailableError: The files are damaged, or are not those of an image classification set.
        UserError: There are fewer than `count` examples, or they have no labels.
    """
    layout = layout or Layout(split)
    positions = np.arange(builder.info.splits[layout.split].num_examples)[layout.start : layout.stop]
    check_count(name, split, count, len(positions))
    try:
        return _read(builder, name, split, count, layout, positions)
    except (tf.errors.OpError, ValueError, KeyError) as error:
        reason = str(getattr(error, "message", error)).strip().splitlines()[0][:200]
        raise DataNotAvailableError(
            f"The {split} files of {name} in {builder.data_dir} are damaged or not of that data set ({reason}). "
            "Remove the folder and prepare the set again: bin/data prepare."
        ) from error


def _read(builder, name, split, count, layout, positions):
    info = builder.info
    records = _records(builder, layout)
    labels, total = records["label"], len(records["label"])
    class_names = tuple(info.features[layout.label].names)
    if total != info.splits[layout.split].num_examples:
        raise ValueError(f"{total} examples in place of {info.splits[layout.split].num_examples}")
    labels, ids = labels[positions], _ids(records, layout)[positions]
    if labels.max() < 0:  # TFDS has -1 where the publisher keeps the labels
        raise UserError(
            f"The split {layout.split!r} of {name} has no labels. Take another one, such as tfds.{split} = "
            "'validation'."
        )
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(f"labels from {labels.min()} to {labels.max()} for {len(class_names)} classes")
    taken = np.argsort(ids)[:count]
    images = _decoded(records["image"][positions[taken]], info.features[layout.image])
    return ImageSet(name, split, images, labels[taken], ids[taken], class_names)


def _ids(records: dict[str, np.ndarray], layout: Layout) -> np.ndarray:
    """Returns the ids of all examples of a TFDS split: int64 `[examples]`."""
    positions = np.arange(len(records["label"]))
    if "id" not in records:
        return positions
    try:
        ids = np.array([_number(i) for i in records["id"].tolist()])
        if len(np.unique(ids)) != len(ids):
            raise ValueError("two examples have the same id")
        if not layout.numbered and (ids.dtype != np.int64 or ids.min() < 0 or ids.max() > MOST_ID):
            raise ValueError("the ids are no positions")
    except ValueError:
        if layout.numbered:
            raise
        return positions
    return ids


def _records(builder, layout) -> dict[str, np.ndarray]:
    """Returns image, label and, where there are any, ids of a TFDS split in the order of its files.

    Images are still encoded. TFDS reads record by record, which takes longer than decoding the images; here a chunk of
    records is parsed by one operation.
    """
    info = builder.info
    if info.file_format != tfds.core.FileFormat.TFRECORD:
        raise ValueError(f"{info.file_format.value} files in place of tfrecord")
    names, columns = {"image": layout.image, "label": layout.label}, {"image": tf.string, "label": tf.int64}
    if (dtype := _id_dtype(info.features)) is not None:
        names["id"], columns["id"] = "id", dtype
    parsed = {names[column]: tf.io.FixedLenFeature([], dtype) for column, dtype in columns.items()}
    files = tf.data.TFRecordDataset([os.fspath(path) for path in info.splits[layout.split].filepaths])
    batches = files.batch(CHUNK).map(lambda batch: tf.io.parse_example(batch, parsed)).with_options(options())
    read = list(batches.as_numpy_iterator())
    return {column: np.concatenate([batch[names[column]] for batch in read]) for column in columns}


def _id_dtype(features) -> tf.DType | None:
    """Returns the dtype of the feature `id` in the files: text (CIFAR) or a number; None if there is no such one."""
    if "id" not in features:
        return None
    if isinstance(features["id"], tfds.features.Text):
        return tf.string
    is_number = features["id"].shape == () and features["id"].np_dtype == np.int64
    return tf.int64 if is_number else None


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

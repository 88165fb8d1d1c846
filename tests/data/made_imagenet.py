"""A small made ImageNet in TFDS form: real JPEGs of different sizes, in several shards."""

from __future__ import annotations

import contextlib
import tempfile
from unittest import mock

import numpy as np
import tensorflow_datasets as tfds

from rethink_keras.data.sources.tfds_source import TfdsSource

TRAIN, VALIDATION, CLASSES, SHARDS = 50, 20, 8, 4
STEP = 255 // CLASSES  # in brightness from class to class


class Imagenet2012(tfds.core.GeneratorBasedBuilder):
    """Images whose brightness tells their class."""

    VERSION = tfds.core.Version("5.1.0")

    def _info(self):
        features = tfds.features.FeaturesDict(
            {
                "file_name": tfds.features.Text(),
                "image": tfds.features.Image(encoding_format="jpeg"),
                "label": tfds.features.ClassLabel(num_classes=CLASSES),
            }
        )
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples(TRAIN, 0),
            "validation": self._generate_examples(VALIDATION, 1),
        }

    def _generate_examples(self, count, seed):
        bits = np.random.default_rng(seed)
        for k in range(count):
            height, width = bits.integers(40, 90, 2)
            label = k % CLASSES
            image = bits.integers(0, STEP, (height, width, 3)) + STEP * label
            yield k, {"file_name": f"{k}.JPEG", "image": image.astype(np.uint8), "label": label}


@contextlib.contextmanager
def prepared():
    """Makes `imagenet2012` this set within the context."""
    with tempfile.TemporaryDirectory() as folder:
        builder = Imagenet2012(data_dir=folder)
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=SHARDS))
        with mock.patch.object(TfdsSource, "prepared_builder", lambda source, data_dir: builder):
            yield builder

"""Helpers of several tests of data."""

import dataclasses
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.data.sources import Dataset, ImageSet, digits


def image_set(count=50, shape=(10, 10, 3), split="train", classes=10, seed=0):
    """A split of images whose pixels are all different from one another as far as 256 values allow."""
    generator = np.random.default_rng([seed, split == "test"])
    images = generator.integers(0, 256, (count, *shape), dtype=np.uint8)
    labels = generator.integers(0, classes, count)
    names = tuple(f"class {k}" for k in range(classes))
    return ImageSet("made", split, images, labels, np.arange(count), names)


def randomized_split(source=None, *, crop=None, normalization="per_image", seed=0, **randomization):
    """A split under a randomization, with the statistics of its own images."""
    source = source or image_set()
    how = Randomization(**randomization, seed=seed)
    preprocessing = Preprocessing(crop=crop, normalization=normalization)
    return RandomizedSplit(source, how, preprocessing, source.pixel_statistics)


@dataclasses.dataclass(frozen=True)
class MadeDataset(Dataset):
    """Made images in place of a data set's; `opened` lists the splits that were read."""

    train: int = 20
    test: int = 20
    opened: list[str] = dataclasses.field(default_factory=list)

    def open(self, split):
        self.opened.append(split)
        return image_set(getattr(self, split), split=split)


def digits_elsewhere(test_case):
    """Prepares the embedded digits in a home folder of this test class, not the user's, and returns it."""
    home = tempfile.TemporaryDirectory()
    test_case.addClassCleanup(home.cleanup)
    folder = Path(home.name) / digits.EMBEDDED_DIR.relative_to("~")
    patch = mock.patch.object(digits, "EMBEDDED_DIR", folder)
    patch.start()
    test_case.addClassCleanup(patch.stop)
    return Path(home.name)


def real_data_dir(name):
    """The folder TFDS_DATA_DIR if it holds a data set; skips the test if not."""
    folder = os.environ.get("TFDS_DATA_DIR")
    if not folder or not (Path(folder) / name).is_dir():
        raise unittest.SkipTest(f"needs {name} in the folder that TFDS_DATA_DIR names")
    return folder

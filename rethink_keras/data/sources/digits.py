"""The embedded data set: scikit-learn's 1,797 handwritten digits as a TFDS builder.

They are real data (Alpaydin and Kaynak, UCI optical recognition of handwritten digits) that come with
scikit-learn, so that a first run needs no download.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from rethink_keras.data.sources import preparation
from rethink_keras.data.sources.source import SOURCES
from rethink_keras.data.sources.tfds_source import InMemorySource

EMBEDDED_DIR = Path("~/.cache/rethink_keras/tensorflow_datasets")
TEST_EVERY = 5  # every fifth digit is a test digit, in every version of this data set
PIXEL_LEVELS = 16  # the original pixels are 0..16


@SOURCES.register("digits")
class DigitsSource(InMemorySource):
    """`digits`: images `[8, 8, 1]` of ten digits; 1,438 train and 359 test examples."""

    train_examples = 1438
    embedded = True

    def builder(self, data_dir: str | Path | None) -> tfds.core.DatasetBuilder:
        """Returns the builder, in the user's cache unless the data folder has the digits already.

        A data folder may be shared and read-only, so nothing is prepared there.
        """
        folder = Path(data_dir) if data_dir and (Path(data_dir) / "digits").is_dir() else _cache_dir()
        try:
            return Digits(data_dir=str(folder))
        except Exception as error:  # TFDS raises many kinds for files that are not its own
            raise preparation.unreadable_error(self.name, folder, error) from error


class Digits(tfds.core.GeneratorBasedBuilder):
    """TFDS builder of uint8 images `[8, 8, 1]` in 0..255 and labels 0 to 9."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> tfds.core.DatasetInfo:
        features = tfds.features.FeaturesDict(
            {
                "id": np.int64,
                "image": tfds.features.Image(shape=(8, 8, 1), dtype=np.uint8, encoding_format="png"),
                "label": tfds.features.ClassLabel(num_classes=10),
            }
        )
        return tfds.core.DatasetInfo(
            builder=self,
            description="1,797 handwritten digits of 8 x 8 pixels, bundled with scikit-learn.",
            features=features,
            supervised_keys=("image", "label"),
            homepage="https://scikit-learn.org/stable/datasets/toy_dataset.html#digits-dataset",
        )

    def _split_generators(self, dl_manager):
        del dl_manager
        return {"train": self._generate_examples(False), "test": self._generate_examples(True)}

    def _generate_examples(self, is_test):
        import sklearn.datasets  # takes a second and a half, and only preparation needs it

        digits = sklearn.datasets.load_digits()
        images = np.rint(digits.images[..., np.newaxis] * 255 / PIXEL_LEVELS).astype(np.uint8)
        chosen = (np.arange(len(images)) % TEST_EVERY == TEST_EVERY - 1) == is_test
        for position, row in enumerate(np.flatnonzero(chosen)):
            yield position, {"id": position, "image": images[row], "label": int(digits.target[row])}


def _cache_dir() -> Path:
    """Returns the user's cache; without a home folder that can be written, a temporary folder of the user."""
    try:
        folder = EMBEDDED_DIR.expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK) or (folder / "digits").is_dir():
            return folder
    except (OSError, RuntimeError):
        pass
    return Path(tempfile.gettempdir()) / f"rethink_keras_{os.getuid()}"

"""The embedded data set: scikit-learn's 1,797 handwritten digits as a TFDS builder.

Real data (Alpaydin and Kaynak, the UCI optical recognition set) that comes with scikit-learn, so that a first
run needs no download.
"""

from __future__ import annotations

import numpy as np
import tensorflow_datasets as tfds

TEST_EVERY = 5  # every fifth digit is a test digit, fixed for good
PIXEL_LEVELS = 16  # the original pixels are 0..16


class Digits(tfds.core.GeneratorBasedBuilder):
    """`digits`: uint8 images `[8, 8, 1]` in 0..255, labels 0 to 9, 1,438 train and 359 test examples."""

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
        import sklearn.datasets  # for preparing alone: a second and a half

        digits = sklearn.datasets.load_digits()
        images = np.rint(digits.images[..., np.newaxis] * 255 / PIXEL_LEVELS).astype(np.uint8)
        chosen = (np.arange(len(images)) % TEST_EVERY == TEST_EVERY - 1) == is_test
        for position, row in enumerate(np.flatnonzero(chosen)):
            yield position, {"id": position, "image": images[row], "label": int(digits.target[row])}

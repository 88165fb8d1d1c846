"""Made splits of images, and the inner products of their features."""

import tempfile
from pathlib import Path

import numpy as np

from tests.data.helpers import image_set, randomized_split
from tests.theory.made_points import quiet_experiment


def split(name="train", count=30, shape=(10, 12, 3)):
    return randomized_split(image_set(count, shape, name), normalization="none")


def stages(features, train=None, test=None):
    """Numbers of features and filters, and all products, of each stage."""
    train, test = train or split(), test or split("test", 7)
    n, m = train.num_examples, test.num_examples
    with tempfile.TemporaryDirectory() as folder, quiet_experiment(Path(folder)) as run:
        return [
            (s.num_features, s.num_filters, s.products.train(slice(0, n), slice(0, n), np.float64),
             s.products.test(slice(0, m), slice(0, n)))
            for s in features.stages(train, test, run)
        ]  # fmt: skip

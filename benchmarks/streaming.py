"""Decoding of a streamed split with and without deterministic operations.

    .venv/bin/python -m benchmarks.streaming --pairs=5

Makes a split of JPEGs of the usual size in a temporary folder, and reads two epochs of its training batches, 299 x 299
pixels with crop, flip and colour distortion. Each reading is a process of its own, because determinism cannot be turned
off again; the two kinds take turns at being first. Prints images per second, the cores that were busy (processor time
divided by time) and the ratio of each pair. Compare ratios, not single readings.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
from absl import flags

from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import StreamedSet
from rethink_keras.data.sources.imagenet import STATISTICS
from rethink_keras.data.streaming import StreamedPipeline

IMAGES, DIFFERENT, SHARDS = 1024, 64, 8
HEIGHT, WIDTH = 375, 500  # the most frequent size in ImageNet
BATCH_SIZE = 32


class Imagenet2012(tfds.core.GeneratorBasedBuilder):
    """JPEGs of about 85 KB: noise that is smooth on several scales."""

    VERSION = tfds.core.Version("5.1.0")

    def _info(self):
        features = {
            "file_name": tfds.features.Text(),
            "image": tfds.features.Image(encoding_format="jpeg"),
            "label": tfds.features.ClassLabel(num_classes=1000),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(IMAGES)}

    def _generate_examples(self, count):
        bits = np.random.default_rng(0)
        different = [_image(bits) for _ in range(DIFFERENT)]
        for k in range(count):
            yield k, {"file_name": f"{k}.JPEG", "image": different[k % DIFFERENT], "label": k % 1000}


def _image(bits: np.random.Generator) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 128.0)
    for scale, deviation in ((64, 40), (16, 25), (4, 15), (1, 6)):
        coarse = bits.normal(0, deviation, (HEIGHT // scale, WIDTH // scale, 3))
        image += tf.image.resize(coarse, (HEIGHT, WIDTH)).numpy()
    return np.clip(image, 0, 255).astype(np.uint8)


def main() -> None:
    """Runs the benchmark, or one reading of it."""
    values = flags.FlagValues()
    flags.DEFINE_integer("pairs", 5, "Pairs of readings.", lower_bound=1, flag_values=values)
    flags.DEFINE_string(
        "read", None, "Reads the split in this folder once, for the benchmark.", flag_values=values
    )
    flags.DEFINE_bool("deterministic", False, "With deterministic operations.", flag_values=values)
    values(sys.argv)
    if values.read is not None:
        read(values.read, values.deterministic)
        return
    with tempfile.TemporaryDirectory() as folder:
        Imagenet2012(data_dir=folder).download_and_prepare(
            download_config=tfds.download.DownloadConfig(num_shards=SHARDS)
        )
        pairs = [_pair(folder, deterministic_first=bool(k % 2)) for k in range(values.pairs)]
    for name, deterministic in (("deterministic", True), ("not deterministic", False)):
        rates, cores = zip(*(pair[deterministic] for pair in pairs), strict=True)
        print(
            f"{name:<18} {statistics.median(rates):>6.0f} images/s, {statistics.median(cores):.2f} cores (medians)"
        )
    ratios = sorted(pair[True][0] / pair[False][0] for pair in pairs)
    print(
        f"deterministic : not, median {statistics.median(ratios):.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f}"
    )


def _pair(folder: str, *, deterministic_first: bool) -> dict[bool, tuple[float, float]]:
    """Returns images per second and busy cores, with deterministic operations (True) and without (False)."""
    readings = {}
    for deterministic in (deterministic_first, not deterministic_first):
        flag = "--deterministic" if deterministic else "--nodeterministic"
        command = [sys.executable, "-m", "benchmarks.streaming", f"--read={folder}", flag]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        readings[deterministic] = tuple(json.loads(printed.splitlines()[-1]))
        print(flag, *(f"{value:.2f}" for value in readings[deterministic]), flush=True)
    return readings


def read(folder: str, deterministic: bool) -> None:
    """Reads two epochs, and prints images per second and busy cores as a JSON list."""
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    source = StreamedSet("imagenet2012", "train", Imagenet2012(data_dir=folder), "train", STATISTICS)
    augmentation = Augmentation(random_crop=True, flip=True, color_distortion=True)
    preprocessing = Preprocessing(crop=299, normalization="symmetric")
    pipeline = StreamedPipeline(source, Randomization(seed=0), preprocessing, augmentation)
    batches = pipeline.training_batches(BATCH_SIZE)
    next(iter(batches))  # what only the first iteration does
    begin, worked = time.perf_counter(), _processor_seconds()
    for epoch in range(2):
        pipeline.set_epoch(epoch)
        for _ in batches:
            pass
    seconds = time.perf_counter() - begin
    print(json.dumps([2 * IMAGES / seconds, (_processor_seconds() - worked) / seconds]))


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()

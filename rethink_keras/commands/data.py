r"""Prepares data sets, and exports or shows a network's inputs and labels.

  bin/data prepare --dataset=cifar10 --archive=/media/cifar-10-binary.tar.gz [--data_dir=DIR]
      Prepares a data set from its publisher's archive on disk, or downloads it without --archive.
      Repeat --archive for a data set of several files, such as the four of MNIST. --dataset can name any image
      classification set of TFDS.

  bin/data export --gin_file=gin/table1_mlp_1x512.gin --gin_file=gin/with/random_labels.gin \
                  --split=train --output=random_labels.npz
      Writes the examples before standardization and augmentation: images, labels, original_labels, ids,
      corrupted, class_names. Images are uint8 in 0..255, or float32 for Gaussian pixels. dataset.name = 'arrays'
      trains on such files.

  bin/data preview --gin_file=gin/table1_inception.gin --output=preview.png
      Writes a grid of images: a row for each randomization, a column for each image.

Exit codes: 0 done, 2 bad usage or configuration, 3 data not available or damaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rethink_keras.commands import command_flags, runner
from rethink_keras.commands.tensorflow_start import start_tensorflow
from rethink_keras.errors import UserError
from rethink_keras.validation import check_choice, check_int, check_seed


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    values = command_flags.configuration_flags()
    values.string("dataset", "prepare: name of the data set.")
    values.strings("archive", "prepare: path of an archive; repeatable.")
    values.string("split", "export, preview: train or test.", default="train")
    values.string("output", "export, preview: file to write.")
    values.integer("columns", "preview: number of images in a row.", default=10)
    actions = {"prepare": _prepare, "export": _export, "preview": _preview}

    def act(word: str | None = None) -> None:
        if word not in actions:
            wrong = f"{word!r} is no action." if word else "No action is named."
            raise UserError(
                f"{wrong} Write bin/data {', '.join(actions)} and its flags; --help shows examples."
            )
        actions[word](values)

    return runner.run_command(__doc__, values, act, argv, positional=1)


def _prepare(values: command_flags.Flags) -> None:
    if not values.dataset:
        raise UserError("No data set is named. Give --dataset=cifar10, for example.")
    start_tensorflow(values.debug)
    from rethink_keras.data.sources import find_source

    source = find_source("--dataset", values.dataset, values.data_dir)
    folder = source.prepare(values.data_dir, [Path(a) for a in values.archive])
    print(f"{values.dataset} is ready in {folder}")


def _export(values: command_flags.Flags) -> None:
    output, splits = _output(values, ".npz"), _splits(values)
    from rethink_keras.data import export

    split = splits.randomized(values.split)
    export.export(split, output)
    print(
        f"Wrote {output}: {split.num_examples:,} {values.split} examples of {splits.dataset.name}, "
        f"{splits.randomization.describe()}, {int(split.corrupted.sum()):,} labels drawn anew."
    )


def _preview(values: command_flags.Flags) -> None:
    check_int("--columns", values.columns, 1, 50)
    output, splits = _output(values, ".png"), _splits(values)
    from rethink_keras.data import export

    export.preview(splits, values.split, values.columns, output)
    print(f"Wrote {output}")


def _output(values: command_flags.Flags, suffix: str) -> Path:
    check_choice("--split", values.split, ("train", "test"))
    if not values.output:
        raise UserError(f"No file to write is named. Give --output=FILE{suffix}.")
    output = Path(values.output)
    if output.suffix != suffix:
        raise UserError(f"--output is {output}, which does not end in {suffix}. Name it so.")
    return output


def _splits(values: command_flags.Flags):
    start_tensorflow(values.debug)
    from rethink_keras import config
    from rethink_keras.data.splits import Splits
    from rethink_keras.training.config import TrainConfig  # binds its names in gin

    config.parse(values.gin_file, command_flags.bindings(values), allow_imports=values.allow_imports)
    seed = config.bound("train.seed", config.default(TrainConfig, "seed"))
    check_seed("train.seed", seed)
    return Splits.from_gin(values.data_dir, seed)

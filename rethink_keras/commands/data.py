"""`bin/data`: prepares data sets, exports and shows what a network is fed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from rethink_keras.commands import common
from rethink_keras.errors import UserError
from rethink_keras.validation import check_choice, check_int, check_seed

USAGE = """
Prepares data sets, exports and shows what a network is fed.

  bin/data prepare --dataset=cifar10 --archive=/media/cifar-10-binary.tar.gz [--data_dir=DIR]
      Prepares a set from its publisher's archive, already on disk; without --archive it downloads.
      Repeat --archive for a set of several files, such as MNIST's four.

  bin/data export --gin_file=gin/table1_mlp_1x512.gin --gin_file=gin/with/random_labels.gin \\
                  --split=train --output=random_labels.npz
      Writes what the network is fed before standardization and without augmentation: images, labels,
      original_labels, ids, corrupted. Images are uint8 in 0..255, float32 for Gaussian pixels.

  bin/data preview --gin_file=gin/table1_inception.gin --output=preview.png
      Writes a grid of pictures: a row a randomization, a column an image.

Exit codes: 0 done, 2 bad usage or configuration, 3 data not available.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    values = common.configuration_flags()
    flags.DEFINE_string("dataset", None, "prepare: name of the data set.", flag_values=values)
    flags.DEFINE_multi_string("archive", [], "prepare: path of an archive; repeatable.", flag_values=values)
    flags.DEFINE_string("split", "train", "export, preview: train or test.", flag_values=values)
    flags.DEFINE_string("output", None, "export, preview: file to write.", flag_values=values)
    flags.DEFINE_integer("columns", 10, "preview: images in a row.", flag_values=values)
    actions = {"prepare": _prepare, "export": _export, "preview": _preview}

    def act(word: str | None = None) -> None:
        if word not in actions:
            said = f"{word!r} is no action." if word else "No action is named."
            raise UserError(
                f"{said} Write bin/data {', '.join(actions)} and its flags; --help shows examples."
            )
        actions[word](values)

    return common.run_command(USAGE, values, act, argv or sys.argv, positional=1)


def _prepare(values: flags.FlagValues) -> None:
    if not values.dataset:
        raise UserError("No data set is named. Give --dataset=cifar10, for example.")
    common.quiet_tensorflow()
    from rethink_keras.data.sources import find_source

    source = find_source("--dataset", values.dataset)
    folder = source.prepare(values.data_dir, [Path(a) for a in values.archive])
    print(f"{values.dataset} is ready in {folder}")


def _export(values: flags.FlagValues) -> None:
    output, splits = _output(values, ".npz"), _splits(values)
    from rethink_keras.data import export

    split = splits.randomized(values.split)
    export.export(split, output)
    print(
        f"Wrote {output}: {split.num_examples:,} {values.split} examples of {splits.dataset.name}, "
        f"{splits.randomization.describe()}, {int(split.corrupted.sum()):,} labels drawn anew."
    )


def _preview(values: flags.FlagValues) -> None:
    check_int("--columns", values.columns, 1, 50)
    output, splits = _output(values, ".png"), _splits(values)
    from rethink_keras.data import export

    export.preview(splits, values.split, values.columns, output)
    print(f"Wrote {output}")


def _output(values: flags.FlagValues, suffix: str) -> Path:
    check_choice("--split", values.split, ("train", "test"))
    if not values.output:
        raise UserError(f"No file to write is named. Give --output=FILE{suffix}.")
    output = Path(values.output)
    if output.suffix != suffix:
        raise UserError(f"--output is {output}, which does not end in {suffix}. Name it so.")
    return output


def _splits(values: flags.FlagValues):
    common.quiet_tensorflow()
    from rethink_keras import config
    from rethink_keras.data.splits import Splits
    from rethink_keras.training.config import TrainConfig  # binds its names in gin

    config.parse(values.gin_file, common.bindings(values), allow_imports=values.allow_imports)
    seed = config.bound("train.seed", config.default(TrainConfig, "seed"))
    check_seed("train.seed", seed)
    return Splits.from_gin(values.data_dir, seed)

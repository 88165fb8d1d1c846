"""The data of a run: both splits in batches, and the regularization that depends on them."""

from __future__ import annotations

import dataclasses

from rethink_keras.data.batches import WHOLE_BATCH, Batches, BatchShard
from rethink_keras.data.pipeline import HOST
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.training import regularization
from rethink_keras.training.config import RunConfig
from rethink_keras.training.regularization import ResolvedRegularization


@dataclasses.dataclass(frozen=True, eq=False)
class Data:
    """The data of a run.

    Attributes:
        splits: The original examples, and how they are randomized.
        train: The training batches.
        test: The test batches.
    """

    splits: Splits
    train: Batches
    test: Batches


def read(
    config: RunConfig, shard: BatchShard = WHOLE_BATCH, device: str = HOST
) -> tuple[Data, ResolvedRegularization]:
    """Reads the configured data set and resolves the regularization that is not configured.

    Args:
        config: The run's configuration.
        shard: The part of each batch that this process computes.
        device: The device whose memory has the data, see `Devices`.

    Raises:
        DataNotAvailableError: The data set is neither on disk nor can be downloaded.
        UserError: The configuration does not fit the data set.
    """
    splits = config.splits
    resolved = resolve_regularization(config)
    examples, batch_size = splits.train.num_examples, config.train.batch_size
    if batch_size > examples:
        raise UserError(
            f"train.batch_size is {batch_size}, but there are {examples} training examples. Set it smaller."
        )
    train = splits.pipeline("train", resolved.augmentation, shard, device)
    return Data(splits, train, splits.pipeline("test", shard=shard, device=device)), resolved


def resolve_regularization(config: RunConfig) -> ResolvedRegularization:
    """Returns the regularization of a run: what is configured, and defaults for the rest."""
    return regularization.resolve(
        config.regularization,
        config.augmentation,
        randomization=config.splits.randomization,
        default=config.train.network.default_regularization,
        dataset=config.splits.dataset.name,
        can_crop=config.splits.crop_leaves_room,
        has_defaults=config.splits.dataset.source.regularized_by_default,
    )

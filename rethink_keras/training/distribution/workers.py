"""One run over several hosts: `MultiWorkerMirroredStrategy`, repaired for Keras 3, and what its workers agree on.

Every worker goes through the same steps at the same time: it computes its share of each batch, and what is
summed over all of them is the same everywhere. Whatever only one of them can know (a signal, a clock, a full
disk) is told to the others before anybody acts on it.
"""

from __future__ import annotations

import abc
import contextlib
import hashlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from rethink_keras.data.batches import WHOLE_BATCH, BatchShard
from rethink_keras.errors import UserError, WorkerLostError
from rethink_keras.system.signals import StopRequest
from rethink_keras.training.distribution import cluster as clusters
from rethink_keras.training.distribution.cluster import Cluster
from rethink_keras.training.private_apis import configure_coordination_service

START_SECONDS = 600  # that workers wait for each other at the beginning
LOST_SECONDS = 30  # without a sign of life, after which a worker counts as lost


class Workers(abc.ABC):
    """The processes that train one run, seen from one of them.

    Attributes:
        shard: The part of each batch that this process computes.
        strategy: The strategy to build the network under; None leaves it to `devices.choose_strategy`.
    """

    shard: BatchShard = WHOLE_BATCH
    strategy: tf.distribute.Strategy | None = None

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the workdir."""
        return self.shard.index == 0

    @abc.abstractmethod
    def stop_on_all(self, stop: StopRequest) -> StopRequest:
        """Returns a request that all workers notice at the same step."""

    @abc.abstractmethod
    def broadcast(self, number: int) -> int:
        """Returns the chief's number, on every worker."""

    @abc.abstractmethod
    def barrier(self) -> contextlib.AbstractContextManager[None]:
        """Returns a context that fails on every worker if its block fails on one.

        The block must not compute with the other workers.
        """

    @abc.abstractmethod
    def check_same(self, text: str) -> None:
        """Raises UserError unless all workers pass the same text."""


class SingleWorker(Workers):
    """A process that trains by itself: its own chief, with whole batches."""

    def stop_on_all(self, stop: StopRequest) -> StopRequest:
        """Returns the request itself."""
        return stop

    def broadcast(self, number: int) -> int:
        """Returns the number itself."""
        return number

    @contextlib.contextmanager
    def barrier(self) -> Iterator[None]:
        """Returns a context that does nothing."""
        yield

    def check_same(self, text: str) -> None:
        """Does nothing: there is no other worker."""


SINGLE_WORKER = SingleWorker()


class MultipleWorkers(Workers):
    """All workers of a run, seen from one of them.

    Args:
        cluster: who they are.

    Raises:
        UserError: if they cannot work together here.
        WorkerLostError: if they do not find each other.
    """

    def __init__(self, cluster: Cluster):
        self.shard = BatchShard(cluster.index, len(cluster.addresses))
        self.strategy = _connected(cluster)

    def stop_on_all(self, stop: StopRequest) -> StopRequest:
        """Asks all workers whenever it is asked, so that they stop at the same step."""
        return _StopOnAll(stop, self)

    def broadcast(self, number: int) -> int:
        """The chief's number, on every worker."""
        return self.all_gather(number)[0]

    def all_gather(self, number: int) -> list[int]:
        """What each worker says, the chief first; all must ask at the same time."""
        said = np.zeros(self.shard.workers, np.int64)
        said[self.shard.index] = number
        assert self.strategy is not None
        return self.strategy.reduce("SUM", tf.constant(said)).numpy().tolist()

    @contextlib.contextmanager
    def barrier(self) -> Iterator[None]:
        """Fails on every worker if the block fails on one.

        Raises:
            UserError: on those on which it did not fail.
        """
        try:
            yield
        except Exception:
            with contextlib.suppress(tf.errors.OpError):  # of a lost worker: the first failure is what counts
                self.all_gather(1)
            raise
        failed = [index for index, has in enumerate(self.all_gather(0)) if has]
        if failed:
            raise UserError(
                f"Worker {failed[0]} of {self.shard.workers} cannot go on, and says why on its own terminal. "
                "Mend that and start all workers again."
            )

    def check_same(self, text: str) -> None:
        """Raises UserError unless all workers say the same text."""
        digest = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
        others = [index for index, its in enumerate(self.all_gather(digest)) if its != digest]
        if others:
            raise UserError(
                f"Worker {others[0]} was started with another configuration, other data or another version of "
                f"the code than worker {self.shard.index}. Start all workers by the same command."
            )


def connect_workers(strategy: str) -> Workers:
    """The workers that `train.strategy` and TF_CONFIG call for; to be called before anything is computed.

    Args:
        strategy: 'multi_worker' asks for several workers; 'auto' takes them if TF_CONFIG names them.

    Raises:
        UserError: if TF_CONFIG is missing or unusable, or they cannot work together here.
        WorkerLostError: if they do not find each other.
    """
    if strategy not in ("auto", "multi_worker"):
        return SINGLE_WORKER
    cluster = clusters.from_environment()
    if cluster is not None:
        return MultipleWorkers(cluster)
    if strategy == "multi_worker":
        raise UserError(
            f"train.strategy is 'multi_worker', but {clusters.VARIABLE} names no other worker. "
            "Set it on every host, or leave train.strategy out."
        )
    return SINGLE_WORKER


class _Strategy(tf.distribute.MultiWorkerMirroredStrategy):
    """What Keras 3's `fit` and `evaluate` need of the strategy, in the way they ask for it."""

    def experimental_distribute_dataset(self, dataset, options=None):
        """Takes a data set as it is: the pipeline has dealt out the batches already."""
        return self.distribute_datasets_from_function(lambda _: dataset, options)

    def reduce(self, reduce_op, value, axis=None):
        """Reduces over replicas alone.

        Keras asks for the mean of scalars along an axis that they have not, and for the mean of a whole batch, of
        which it wants to know shapes only.
        """
        if isinstance(value, tuple):
            return tuple(self.experimental_local_results(part)[0] for part in value)
        return super().reduce(reduce_op, value, axis=None)


class _StopOnAll(StopRequest):
    """A stop that any worker may ask for and all notice when they next look."""

    def __init__(self, own: StopRequest, workers: MultipleWorkers):
        super().__init__()
        self._own = own
        self._workers = workers

    def __bool__(self) -> bool:
        self.number = max(self._workers.all_gather(self._own.number or 0)) or None
        return self.number is not None


def _connected(cluster: Cluster) -> tf.distribute.Strategy:
    if len(tf.config.list_physical_devices("GPU")) > 1:
        raise UserError(
            "A worker computes on one GPU. Start one worker for each, and name its own in CUDA_VISIBLE_DEVICES."
        )
    try:
        configure_coordination_service(
            cluster.leader, cluster.jobs, start_seconds=START_SECONDS, lost_seconds=LOST_SECONDS
        )
        return _Strategy()
    except RuntimeError as error:
        raise UserError(
            "Workers must find each other before TensorFlow does anything else in their process. Start each run "
            "by bin/train, or in a process of its own."
        ) from error
    except tf.errors.OpError as error:
        raise WorkerLostError(
            f"Worker {cluster.index} of {len(cluster.addresses)} at {cluster.addresses[cluster.index]} does not "
            f"come together with the others ({error.message.strip().splitlines()[0][:200]}). Check the addresses "
            f"in {clusters.VARIABLE} and start all workers again."
        ) from error

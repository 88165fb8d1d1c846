"""The processes that train one run: a single worker, or several hosts under `MultiWorkerMirroredStrategy`.

Several workers go through the same steps at the same time. Each computes its shard of every batch; gradients, metrics
and losses are summed over all, so that weights and results are the same on every worker. Whatever only one of them can
know (a signal, a clock, a full disk) must be sent to the others before any of them acts on it: a worker that leaves the
common sequence of collective operations makes the others wait until they time out. `broadcast`, `all_gather`, `barrier`
and `stop_on_all` are for that.

Keras 3 does not support this strategy. `replicas.WorkerReplicas` overrides the two methods that Keras calls in a way
that the strategy refuses, and `network.build_network` does the rest, as for several replicas on one host.
"""

from __future__ import annotations

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
from rethink_keras.training.distribution.replicas import WorkerReplicas
from rethink_keras.training.private_apis import configure_coordination_service

START_SECONDS = 600  # how long workers wait for each other at the start
LOST_SECONDS = 30  # without a sign of life, after which a worker counts as lost


class Workers:
    """The processes that train one run, seen from one of them. These are a single worker: its own chief.

    Attributes:
        shard: The part of each batch that this process computes.
        strategy: The strategy to build the network under; None leaves it to `devices.choose`.
    """

    shard: BatchShard = WHOLE_BATCH
    strategy: tf.distribute.Strategy | None = None

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the workdir."""
        return self.shard.index == 0

    def stop_on_all(self, stop: StopRequest) -> StopRequest:
        """Returns a request that all workers notice at the same step."""
        return stop

    def broadcast(self, number: int) -> int:
        """Returns the chief's number, on every worker."""
        return number

    def barrier(self) -> contextlib.AbstractContextManager[None]:
        """Returns a context that fails on every worker if its block fails on one.

        The block must not compute with the other workers.
        """
        return contextlib.nullcontext()

    def check_same(self, text: str) -> None:
        """Raises UserError unless all workers pass the same text."""


SINGLE_WORKER = Workers()


class MultipleWorkers(Workers):
    """All workers of a run, seen from one of them.

    Args:
        cluster: Addresses of the workers, and which of them this process is.

    Raises:
        UserError: The workers cannot train together here.
        WorkerLostError: The workers do not find each other.
    """

    def __init__(self, cluster: Cluster):
        self.shard = BatchShard(cluster.index, len(cluster.addresses))
        self.strategy = _connect(cluster)

    def stop_on_all(self, stop: StopRequest) -> StopRequest:
        """Returns a request that gathers the requests of all workers whenever its value is read."""
        return _StopOnAll(stop, self)

    def broadcast(self, number: int) -> int:
        """Returns the chief's number, on every worker."""
        return self.all_gather(number)[0]

    def all_gather(self, number: int) -> list[int]:
        """Returns the numbers of all workers, the chief's first. Every worker must call it at the same time."""
        numbers = np.zeros(self.shard.workers, np.int64)
        numbers[self.shard.index] = number
        assert self.strategy is not None
        # A sum of vectors that are zero but for the worker's own place is the gathered vector.
        return self.strategy.reduce("SUM", tf.constant(numbers)).numpy().tolist()

    @contextlib.contextmanager
    def barrier(self) -> Iterator[None]:
        """Returns a context that fails on every worker if its block fails on one.

        Raises:
            UserError: The block failed on another worker.
        """
        try:
            yield
        except Exception:
            # If a worker was lost meanwhile, gathering fails too. The first failure is the one to report.
            with contextlib.suppress(tf.errors.OpError):
                self.all_gather(1)
            raise
        failed = [index for index, has_failed in enumerate(self.all_gather(0)) if has_failed]
        if failed:
            raise UserError(
                f"Worker {failed[0]} of {self.shard.workers} failed; its own terminal shows the reason. "
                "Remove the cause and start all workers again."
            )

    def check_same(self, text: str) -> None:
        """Raises UserError unless all workers pass the same text."""
        digest = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
        others = [index for index, other in enumerate(self.all_gather(digest)) if other != digest]
        if others:
            raise UserError(
                f"Worker {others[0]} was started with another configuration, other data or another version of "
                f"the code than worker {self.shard.index}. Start all workers by the same command."
            )


def connect_workers(strategy: str) -> Workers:
    """Returns the workers that `train.strategy` and TF_CONFIG name. Call it before TensorFlow computes anything.

    Args:
        strategy: 'multi_worker' for several workers; 'auto' for several if TF_CONFIG names them.

    Raises:
        UserError: TF_CONFIG is missing or unusable, or the workers cannot train together here.
        WorkerLostError: The workers do not find each other.
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


class _StopOnAll(StopRequest):
    """A stop that any worker can request and that all notice when they next read it, at the same step."""

    def __init__(self, own: StopRequest, workers: MultipleWorkers):
        super().__init__()
        self._own = own
        self._workers = workers

    def __bool__(self) -> bool:
        self.number = max(self._workers.all_gather(self._own.number or 0)) or None
        return self.number is not None


def _connect(cluster: Cluster) -> tf.distribute.Strategy:
    """Waits for all workers of a cluster and returns their strategy."""
    if len(tf.config.list_physical_devices("GPU")) > 1:
        raise UserError(
            "A worker computes on one GPU. Start one worker for each, and name its own in CUDA_VISIBLE_DEVICES."
        )
    try:
        configure_coordination_service(
            cluster.leader, cluster.jobs, start_seconds=START_SECONDS, lost_seconds=LOST_SECONDS
        )
        return WorkerReplicas()
    except RuntimeError as error:
        raise UserError(
            "Workers must find each other before TensorFlow does anything else in their process. Start each run "
            "by bin/train, or in a process of its own."
        ) from error
    except tf.errors.OpError as error:
        raise WorkerLostError(
            f"Worker {cluster.index} of {len(cluster.addresses)} at {cluster.addresses[cluster.index]} cannot "
            f"connect to the others ({error.message.strip().splitlines()[0][:200]}). Check the addresses "
            f"in {clusters.VARIABLE} and start all workers again."
        ) from error

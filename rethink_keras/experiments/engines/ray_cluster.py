"""Runs on the machines of a Ray cluster that share a folder; Ray itself is an optional requirement."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import gin

from rethink_keras.errors import UserError
from rethink_keras.experiments.engines.engine import ENGINES, Engine
from rethink_keras.experiments.job import Job, Outcome
from rethink_keras.experiments.placement import GROWING_MEMORY, NO_GPU, Place
from rethink_keras.experiments.run_process import run_job
from rethink_keras.system.installation import PACKAGE
from rethink_keras.system.signals import NUMBERS
from rethink_keras.validation import check_int, check_number

ANSWER_SECONDS = 10
POLL_SECONDS = 1.0
MOST_PLACES = 1024
QUIET = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the default of later versions, which warn without it
    "RAY_enable_metrics_collection": "0",
}


@ENGINES.register("ray")
@gin.configurable("ray")
@dataclasses.dataclass(frozen=True)
class RayCluster(Engine):
    """Runs on the machines of a Ray cluster, each of which has the project and the sweep's folder at the same path.

    A run takes as many CPUs as it has threads. A run whose machine dies is started again on another and resumes from
    its last checkpoint.

    Attributes:
        address: Address of the cluster, such as 'auto' or '10.0.0.1:6379'; '' starts one on this machine.
        gpus_per_run: Number of GPUs of a run, or a part of one; 0.25 puts four runs on each. With 0, runs compute on
            processors and see no GPU.
        lost_machines: How often a run is started again because its machine died; -1 for ever.
    """

    address: str = "auto"
    gpus_per_run: float = 0.0
    lost_machines: int = 10

    def __post_init__(self):
        check_number("ray.gpus_per_run", self.gpus_per_run, 0, 64)
        if self.gpus_per_run > 1 and self.gpus_per_run % 1:
            raise UserError(
                f"ray.gpus_per_run is {self.gpus_per_run}. Give a part of one GPU, or a whole number of GPUs."
            )
        check_int("ray.lost_machines", self.lost_machines, -1)

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """Connects to the cluster, for as long as the context lasts.

        Raises:
            UserError: Ray is not installed, or the cluster cannot be reached.
        """
        os.environ.update(QUIET)
        try:
            import ray
        except ImportError as error:
            raise UserError(
                "Ray is not installed. Run pip install -r requirements-ray.txt, or bind sweep.engine = 'local'."
            ) from error
        try:
            self._check_answers()
            with _signals_kept():
                ray.init(
                    address=self.address or "local",
                    runtime_env={"env_vars": {"PYTHONPATH": str(PACKAGE.parent)}},
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except (OSError, ValueError, RuntimeError) as error:
            raise UserError(
                f"No Ray cluster answers at {self.address!r}. Start one by 'ray start --head', correct "
                "ray.address, or bind ray.address = '' for one on this machine."
            ) from error
        try:
            yield
        finally:
            with _signals_kept():
                ray.shutdown()

    def threads(self, runs: int, connect: bool = True) -> int:
        """Returns the CPUs of a machine divided by the runs that its GPUs have room for.

        It is the smallest of all machines that have room for a run now. Without GPUs, all runs share the cores of this
        machine, and Ray puts as many on each machine as its CPUs have room for.

        Raises:
            UserError: Ray is not installed, or the cluster cannot be reached.
        """
        if not self.gpus_per_run:
            return super().threads(runs)
        if not connect:
            return 0
        with self.connected():
            machines = [(cpus, self._side_by_side(gpus)) for cpus, gpus in _machines()]
        return max(1, min((int(cpus / min(fit, runs)) for cpus, fit in machines if fit), default=1))

    def places(self, threads: int, most: int, say: Callable[[str], None]) -> list[Place]:
        """Returns a place for each job: Ray itself queues what the cluster has no room for, and machines may join.

        Raises:
            UserError: No machine of the cluster has what one run needs.
        """
        machines = _machines()
        if not any(cpus >= threads and gpus >= self.gpus_per_run for cpus, gpus in machines):
            present = "; ".join(sorted({f"{cpus:g} CPUs and {gpus:g} GPUs" for cpus, gpus in machines}))
            raise UserError(
                f"A run needs {threads} CPUs and {self.gpus_per_run:g} GPUs on one machine, and the machines of the "
                f"Ray cluster have {present}. Lower sweep.threads or ray.gpus_per_run, or add machines."
            )
        idle = sum(gpus for _, gpus in machines)
        if idle and not self.gpus_per_run:
            say(f"ray.gpus_per_run is 0: the runs compute on processors, and leave {idle:g} GPUs unused.")
        return [self._place()] * min(most, MOST_PLACES)

    def run(self, job: Job, stopping: threading.Event, say: Callable[[str], None]) -> Outcome:
        """Runs a job on a machine of the cluster.

        A run that waits for another process writes so to its `train.log` alone: it waits on another machine.
        """
        import ray

        task = _task().options(
            num_cpus=job.threads, num_gpus=self.gpus_per_run, max_retries=self.lost_machines
        )
        reference = task.remote(job)
        cancelled = False
        while not ray.wait([reference], timeout=POLL_SECONDS)[0]:
            if stopping.is_set() and not cancelled:
                ray.cancel(reference)  # interrupts `_run`, which has the run save and end
                cancelled = True
        return _outcome(reference, job)

    def _place(self) -> Place:
        if not self.gpus_per_run:  # Ray itself hides no GPU from a task that has none
            return Place(NO_GPU)
        shares_gpu = self.gpus_per_run < 1
        return Place(GROWING_MEMORY if shares_gpu else {}, shares_gpu)

    def _side_by_side(self, gpus: float) -> int:
        """Returns how many runs so many GPUs have room for."""
        if self.gpus_per_run < 1:  # a run has a part of one GPU
            return int(gpus) * int(1 / self.gpus_per_run + 1e-9)
        return int(gpus / self.gpus_per_run)

    def _check_answers(self) -> None:
        """Raises OSError unless something listens at host and port; Ray itself would try for minutes."""
        host, colon, port = self.address.removeprefix("ray://").rpartition(":")
        if colon:
            socket.create_connection((host, int(port)), ANSWER_SECONDS).close()


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Restores the handlers of signals, which Ray replaces: at SIGTERM, its own would abort this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _machines() -> list[tuple[float, float]]:
    """Returns the CPUs and the GPUs of each machine of the cluster."""
    import ray

    resources = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [(has.get("CPU", 0.0), has.get("GPU", 0.0)) for has in resources]


@functools.cache
def _task():
    """Returns the one remote function of this process; Ray warns if the same function is made remote many times."""
    import ray

    return ray.remote(_run)


def _run(job: Job) -> Outcome:
    # Ray cancels by SIGINT's handler; a cluster that a script started in the background ignores SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return run_job(job, threading.Event())


def _outcome(reference, job: Job) -> Outcome:
    import ray

    stopped = Outcome(job.name, 128 + signal.SIGTERM, "Stopped by the sweep.")
    try:
        return ray.get(reference)
    except (ray.exceptions.TaskCancelledError, KeyboardInterrupt):
        return stopped
    except ray.exceptions.RayTaskError as error:
        return (
            stopped if isinstance(error.cause, KeyboardInterrupt) else Outcome(job.name, 1, str(error.cause))
        )
    except ray.exceptions.RayError as error:
        return Outcome(job.name, 1, f"Ray gave up the run: {str(error).splitlines()[0]}")

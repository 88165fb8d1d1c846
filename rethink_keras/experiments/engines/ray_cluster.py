"""Runs on the machines of a Ray cluster that share a folder; Ray itself is an optional requirement."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import gin

from rethink_keras.errors import UserError
from rethink_keras.experiments.engines.local import TICK_SECONDS
from rethink_keras.experiments.run_process import Job, Outcome, run_job
from rethink_keras.validation import check_int, check_number

ROOT = Path(__file__).resolve().parents[3]
ANSWER_SECONDS = 10
QUIET = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the default of later versions, which warn without it
    "RAY_enable_metrics_collection": "0",
}


@gin.configurable("ray")
@dataclasses.dataclass(frozen=True)
class RayCluster:
    """Runs on the machines of a Ray cluster, each of which has the project and the sweep's folder at the same path.

    A run takes as many CPUs as it has threads. A run whose machine dies is begun again on another and goes on
    from its last checkpoint.

    Attributes:
        address: of the cluster, such as 'auto' or '10.0.0.1:6379'; '' starts one on this machine.
        gpus_per_run: whole or part of a GPU; 0.25 puts four runs on each.
        lost_machines: how often a run is begun again because its machine died; -1 for ever.
    """

    address: str = "auto"
    gpus_per_run: float = 0.0
    lost_machines: int = 10

    def __post_init__(self):
        check_number("ray.gpus_per_run", self.gpus_per_run, 0, 64)
        check_int("ray.lost_machines", self.lost_machines, -1)

    def run(
        self,
        jobs: Sequence[Job],
        threads: int,
        stopping: threading.Event,
        tick: Callable[[], None],
        ended: Callable[[Outcome], None],
        say: Callable[[str], None],
    ) -> None:
        """Makes all runs; returns when each has ended. See `local.Local.run`.

        A run that waits for another process says so in its `train.log` alone: it waits on another machine.

        Raises:
            UserError: if Ray is not installed, the cluster cannot be reached, or no machine of it is large enough.
        """
        del say
        ray = self._connected()
        references: list = []
        try:
            self._check_fits(ray.cluster_resources(), threads)
            task = ray.remote(_make).options(
                num_cpus=threads, num_gpus=self.gpus_per_run, max_retries=self.lost_machines
            )
            jobs_by_reference = {task.remote(job): job for job in jobs}
            references = list(jobs_by_reference)
            cancelled = False
            while jobs_by_reference:
                if stopping.is_set() and not cancelled:
                    for reference in jobs_by_reference:
                        ray.cancel(reference)
                    cancelled = True
                done, _ = ray.wait(list(jobs_by_reference), num_returns=1, timeout=TICK_SECONDS)
                for reference in done:
                    if outcome := _outcome(ray, reference, jobs_by_reference.pop(reference)):
                        ended(outcome)
                tick()
        except BaseException:
            for reference in references:  # runs save and end, those that have ended take no notice
                ray.cancel(reference)
            if references:
                ray.wait(references, num_returns=len(references))
            raise
        finally:
            ray.shutdown()

    def _connected(self):
        os.environ.update(QUIET)
        try:
            import ray
        except ImportError as error:
            raise UserError(
                "Ray is not installed. Run pip install -r requirements-ray.txt, or bind sweep.engine = 'local'."
            ) from error
        try:
            self._knock()
            ray.init(
                address=self.address or "local",
                runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise UserError(
                f"No Ray cluster answers at {self.address!r}. Start one by 'ray start --head', correct "
                "ray.address, or bind ray.address = '' for one on this machine."
            ) from error
        return ray

    def _knock(self) -> None:
        """Tries an address of host and port, before Ray does so for minutes."""
        host, colon, port = self.address.removeprefix("ray://").rpartition(":")
        if colon:
            socket.create_connection((host, int(port)), ANSWER_SECONDS).close()

    def _check_fits(self, resources: dict[str, float], threads: int) -> None:
        for name, asked in (("CPU", threads), ("GPU", self.gpus_per_run)):
            if asked > resources.get(name, 0):
                raise UserError(
                    f"A run asks for {asked:g} {name}s and the Ray cluster has {resources.get(name, 0):g}. "
                    "Lower sweep.threads or ray.gpus_per_run, or add machines."
                )


def _make(job: Job) -> Outcome:
    # Ray cancels by SIGINT's handler; a cluster that a script started in the background ignores SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return run_job(job, threading.Event())


def _outcome(ray, reference, job: Job) -> Outcome | None:
    try:
        return ray.get(reference)
    except (ray.exceptions.TaskCancelledError, KeyboardInterrupt):
        return None
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, KeyboardInterrupt):
            return None
        return Outcome(job.name, 1, str(error.cause), 1)
    except ray.exceptions.RayError as error:
        return Outcome(job.name, 1, f"Ray gave the run up: {str(error).splitlines()[0]}", 1)

"""The workers of a run over several hosts, as the environment variable TF_CONFIG names them."""

from __future__ import annotations

import dataclasses
import json
import os
import re

from rethink_keras.errors import UserError

VARIABLE = "TF_CONFIG"
_JOBS = ("chief", "worker")
_ADDRESS = re.compile(r"[^\s:/]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")
_EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The workers of a run, and which of them this process is.

    Attributes:
        addresses: Host and port of each worker, the chief's first.
        index: Number of this process, from 0; the chief's is 0.
        jobs: TensorFlow's names of the jobs that have workers, with the number of workers.
    """

    addresses: tuple[str, ...]
    index: int
    jobs: tuple[tuple[str, int], ...]

    @property
    def leader(self) -> str:
        """TensorFlow's name of the chief's task."""
        return f"/job:{self.jobs[0][0]}/replica:0/task:0"


def from_environment() -> Cluster | None:
    """Returns the cluster that TF_CONFIG describes; None if it is not set or names a single worker.

    Raises:
        UserError: TF_CONFIG cannot be used.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
    except ValueError as error:
        raise _unusable("is not JSON") from error
    jobs = config.get("cluster") if isinstance(config, dict) else None
    if not isinstance(jobs, dict) or not jobs:
        raise _unusable("names no cluster")
    for job, addresses in jobs.items():
        if job not in _JOBS:
            raise _unusable(f"has tasks of the kind {job!r}; only chief and worker are supported")
        if not isinstance(addresses, list) or not addresses:
            raise _unusable(f"has no list of addresses for {job!r}")
        for address in addresses:
            if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
                raise _unusable(f"has the address {address!r}, which is not of the form host:port")
    if len(jobs.get("chief", ())) > 1:
        raise _unusable("has more than one chief")
    ordered = [(job, list(jobs[job])) for job in _JOBS if job in jobs]
    every = tuple(address for _, addresses in ordered for address in addresses)
    if len(set(every)) < len(every):
        raise _unusable("has an address twice")
    own = _own_address(config.get("task"), dict(ordered))
    if len(every) == 1:
        return None
    return Cluster(every, every.index(own), tuple((job, len(addresses)) for job, addresses in ordered))


def _own_address(task, jobs: dict[str, list[str]]) -> str:
    if not isinstance(task, dict) or "type" not in task or "index" not in task:
        raise _unusable("does not name the task of this process")
    job, number = task["type"], task["index"]
    if job not in list(jobs):
        raise _unusable(f"names this process a {job!r}, which its cluster does not have")
    count = len(jobs[job])
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < count:
        raise _unusable(f"names this process {job} {number!r}, and has {count} of them, from 0")
    return jobs[job][number]


def _unusable(why: str) -> UserError:
    return UserError(f"{VARIABLE} {why}. Write it like {_EXAMPLE}, or unset it to train on this host only.")

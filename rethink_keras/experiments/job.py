"""A job is one run to be trained by a process of its own; an outcome is how that process ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from rethink_keras.experiments.placement import Place
from rethink_keras.system.installation import python_arguments

TRAIN = python_arguments("train")


@dataclasses.dataclass(frozen=True)
class Job:
    """A run to be trained or resumed.

    Attributes:
        name: Name of the run, unique among the jobs of a sweep or search at one time.
        workdir: Folder of the run.
        arguments: Arguments of the program.
        threads: Processor threads of the run; 0 for all.
        retries: How many more times a run is tried whose failure may be temporary.
        environment: Environment variables of the process in addition to those of this one.
        shares_gpu: Whether other runs compute on its GPU, so that a lack of memory may be temporary.
        fingerprint: Fingerprint of the configuration with which it must be trained; empty for any.
        program: Arguments of Python that run a program with the flags and exit codes of `bin/train`.
    """

    name: str
    workdir: Path
    arguments: tuple[str, ...]
    threads: int = 0
    retries: int = 0
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    shares_gpu: bool = False
    fingerprint: str = ""
    program: tuple[str, ...] = TRAIN

    def at(self, place: Place) -> Job:
        """Returns this job as it runs in a place."""
        environment = {**self.environment, **place.environment}
        return dataclasses.replace(self, environment=environment, shares_gpu=place.shares_gpu)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        name: Name of the job.
        exit_code: Exit code of `bin/train`; minus the signal's number if a signal ended the process.
        sentence: The last line of its stderr; empty without an error.
        attempts: How often the run was tried.
    """

    name: str
    exit_code: int
    sentence: str = ""
    attempts: int = 1

"""A planned run of a sweep or search: its configuration, its cost, and the `bin/train` command that trains it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

from rethink_keras.experiments.job import Job
from rethink_keras.experiments.paths import configuration_flags, typed_command, typed_path

MOST_NAME_BYTES = 200
MOST_THREADS = 1024
MOST = 10**15  # epochs and images; a larger number in a file is damage


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep or search.

    Attributes:
        name: Its folder relative to the sweep's, such as 'mlp_1x512/random_labels/seed_0'.
        network: Row of a table or curve of a plot, such as 'mlp_1x512'.
        variant: What differs in network or data, such as 'random_labels' or 'corruption_0.3'.
        seed: Seed of the run.
        gin_files: Gin files of `bin/train`. Relative ones are relative to the project's folder.
        bindings: Gin bindings of `bin/train`, without the seed.
        epochs: Maximum number of epochs; 0 before it is planned.
        images: Maximum number of training images that pass through the network: epochs times examples.
        threads: Processor threads, on which the last bits of convolutions depend; 0 for all.
        fingerprint: SHA-256 (hex) of its configuration.
        allow_imports: Whether its gin files may import modules from outside of this package.
    """

    name: str
    network: str
    variant: str
    seed: int
    gin_files: tuple[str, ...]
    bindings: tuple[str, ...]
    epochs: int = 0
    images: int = 0
    threads: int = 0
    fingerprint: str = ""
    allow_imports: bool = False

    def arguments(self, folder: Path, written: Callable[[Path], Path] = Path.absolute) -> list[str]:
        """Returns the arguments of `bin/train` for this run of a sweep in `folder`.

        Args:
            folder: Folder of the sweep or search.
            written: How paths are written. Absolute ones mean the same in every present folder.
        """
        return [
            *configuration_flags(self.gin_files, self.bindings, written),
            f"--seed={self.seed}",
            *([f"--threads={self.threads}"] if self.threads else []),
            *(["--allow_imports"] if self.allow_imports else []),
            f"--workdir={written(folder / self.name)}",
        ]

    def command(self, folder: Path) -> str:
        """Returns the command that trains this run, as a user types it in the present folder."""
        return typed_command("train", *self.arguments(folder, typed_path))

    def job(self, folder: Path, *more: str, retries: int, data_dir: str | None) -> Job:
        """Returns the job that trains this run, the same in every present folder and on every machine.

        Args:
            folder: Folder of the sweep or search.
            *more: More arguments of `bin/train`.
            retries: How many more times a run is tried whose failure may be temporary.
            data_dir: TFDS data folder; None leaves it to TFDS.
        """
        data = [f"--data_dir={_absolute(data_dir)}"] if data_dir else []
        # A machine of a cluster has the environment of its own service, not that of this process.
        environment = {n: _absolute(os.environ[n]) for n in ("TFDS_DATA_DIR",) if os.environ.get(n)}
        return Job(
            name=self.name,
            workdir=folder.absolute() / self.name,
            arguments=(*self.arguments(folder), *more, *data),
            threads=self.threads,
            retries=retries,
            environment=environment,
            fingerprint=self.fingerprint,
        )

    def computes_the_same(self, other: PlannedRun) -> bool:
        """Returns whether name, configuration and threads are equal, although the gin files may be other ones."""
        if not self.fingerprint:  # of a sweep.json of an earlier version
            return self == other
        mine, others = ((run.name, run.fingerprint, run.threads) for run in (self, other))
        return mine == others

    def check(self) -> None:
        """Raises ValueError if no sweep can have planned such a run."""
        labels = self.network + self.variant  # are shown, and are no folders by themselves
        if not all(map(is_folder_name, self.name.split("/"))) or not labels.isprintable():
            raise ValueError(f"the name {ascii(self.name)[:80]}")
        counts = 1 <= self.epochs <= MOST and 0 <= self.images <= MOST
        if not counts or not 0 <= self.threads <= MOST_THREADS or not 0 <= self.seed < 2**32:
            raise ValueError(f"the numbers of {self.name}")


def is_folder_name(name: str) -> bool:
    """Returns whether a folder inside another one can have this name: printable, and not a path of its own."""
    return (
        name.isprintable()
        and name.strip() == name
        and name not in ("", ".", "..")
        and not set(name) & {"/", "\\"}
        and len(name.encode()) <= MOST_NAME_BYTES
    )


def _absolute(data_dir: str) -> str:
    """Returns a data folder independent of the present one; TFDS itself resolves gs://bucket/folder and ~/folder."""
    return data_dir if "://" in data_dir or data_dir.startswith("~") else str(Path(data_dir).absolute())

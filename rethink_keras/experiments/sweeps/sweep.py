"""Sweeps: lists and products of run configurations, bound in gin, planned as a `Manifest`."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import gin

from rethink_keras.errors import UserError
from rethink_keras.experiments.engines import ENGINES, Engine
from rethink_keras.experiments.paths import stored_path
from rethink_keras.experiments.planned_run import MOST_NAME_BYTES, MOST_THREADS, PlannedRun, is_folder_name
from rethink_keras.experiments.planning import find_overlays, plan_run
from rethink_keras.experiments.sweeps.manifest import Manifest
from rethink_keras.validation import check_choice, check_int, check_seed

SIZES = ("full", "small")
PLAIN = "plain"  # the variant without overlays
LEVEL = "corruption_"  # prefix of a variant with that share of corrupted labels
MOST_RETRIES = 1000


@gin.configurable("group")
@dataclasses.dataclass(frozen=True)
class Group:
    """Variants of one network.

    An overlay is a gin file, if it ends in '.gin', else a binding. Gin files are looked up beside the sweep's
    gin file and then in the project's folder gin/.

    Attributes:
        network: Name of the network in tables and plots.
        base: Overlays of all variants.
        axes: Each maps names to overlays, such as `{'': [], 'crop': ['with/random_crop.gin']}`. Variants are the
            product of the axes, named by joining the names with '+'. One axis is a list.
    """

    network: str = ""
    base: Sequence[str] = ()
    axes: Sequence[Mapping[str, Sequence[str]]] = ()

    def __post_init__(self):
        if not is_folder_name(self.network):
            raise UserError(
                f"group.network is {ascii(self.network)[:100]}, which cannot be a folder's name. Use letters, digits "
                f"and '_', without '/', at most {MOST_NAME_BYTES} bytes."
            )

    def variants(self) -> Iterator[tuple[str, list[str]]]:
        """Yields name and overlays of each variant."""
        for choice in itertools.product(*(axis.items() for axis in self.axes)):
            name = "+".join(label for label, _ in choice if label) or PLAIN
            _check_variant(name)
            yield name, [*self.base, *itertools.chain.from_iterable(overlays for _, overlays in choice)]


@gin.configurable("sweep")
@dataclasses.dataclass(frozen=True)
class Sweep:
    """What `sweep.*` binds.

    Attributes:
        paper_result: Table or figure of the paper that the sweep reproduces, such as 'table1' or 'figure1a', with
            which a report compares it; 'own' for another one.
        size: 'full', or 'small' for a sweep that is not compared with the paper.
        title: A line for people.
        groups: Networks and their variants.
        overlays: Applied on top of every run, after all others.
        seeds: Every variant is run with each of them.
        threads: Processor threads of a run; 'auto' leaves them to the engine (`Engine.threads`).
        retries: How many more times a run is tried whose failure may be temporary.
        engine: Where the runs compute: 'local', 'ray', or another registered engine.
    """

    paper_result: str = "own"
    size: str = "full"
    title: str = "A sweep"
    groups: Sequence[Group] = ()
    overlays: Sequence[str] = ()
    seeds: Sequence[int] = (0,)
    threads: int | str = "auto"
    retries: int = 2
    engine: str = "local"

    def __post_init__(self):
        check_choice("sweep.size", self.size, SIZES)
        ENGINES.find("sweep.engine", self.engine)
        check_int("sweep.retries", self.retries, 0, MOST_RETRIES)
        if self.threads != "auto":
            check_int("sweep.threads", self.threads, 1, MOST_THREADS)
        for seed in self.seeds:
            check_seed("sweep.seeds", seed)
        if not self.groups or not self.seeds:
            raise UserError(
                "The sweep has no runs. Name a gin file of gin/sweeps/, or bind sweep.groups and sweep.seeds."
            )

    def threads_in(self, folder: Path, engine: Engine, connect: bool = True) -> int:
        """Returns the processor threads of each run of this sweep in a folder.

        The last bits of convolutions depend on the number of threads, so 'auto' keeps the number with which the sweep
        in the folder began, on every machine: runs of one table stay comparable, and a run resumes to the bits that it
        would have had.

        Args:
            folder: Folder of the sweep.
            engine: Where the runs compute.
            connect: Whether the engine may connect to what runs the jobs.

        Returns:
            At least 1; 0 for a new sweep if it is not known without a connection.

        Raises:
            UserError: The folder's `sweep.json` is damaged, or the engine cannot connect.
        """
        if isinstance(self.threads, int):
            return self.threads
        manifest = Manifest.read_if_any(folder)
        if manifest and manifest.runs[0].threads:
            return manifest.runs[0].threads
        count = len(self.seeds) * sum(len(list(group.variants())) for group in self.groups)
        return engine.threads(count, connect)

    def plan(
        self,
        gin_files: Sequence[str],
        bindings: Sequence[str],
        threads: int,
        allow_imports: bool = False,
        data_dir: str | None = None,
    ) -> Manifest:
        """Returns all runs, the configuration of each parsed and checked.

        Args:
            gin_files: Gin files of `bin/sweep`.
            bindings: Gin bindings of `bin/sweep`.
            threads: Processor threads of each run.
            allow_imports: Whether gin files may import modules from outside of this package.
            data_dir: TFDS data folder; None leaves it to TFDS.

        Raises:
            UserError: The configuration of a run is wrong, or two runs have the same name.
        """
        runs = []
        for group in self.groups:
            for (variant, overlays), seed in itertools.product(list(group.variants()), self.seeds):
                files, params = find_overlays([*overlays, *self.overlays], gin_files)
                run = PlannedRun(
                    name=f"{group.network}/{variant}/seed_{seed}",
                    network=group.network,
                    variant=variant,
                    seed=seed,
                    gin_files=files,
                    bindings=params,
                    threads=threads,
                    allow_imports=allow_imports,
                )
                runs.append(plan_run(run, data_dir))
        names = [run.name for run in runs]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise UserError(
                f"The sweep has two runs named {min(doubled)}. Give a variant or a network another name."
            )
        stored = tuple(map(stored_path, gin_files))
        return Manifest(self.paper_result, self.size, self.title, stored, tuple(bindings), tuple(runs))


def _check_variant(name: str) -> None:
    if not is_folder_name(name):
        raise UserError(
            f"group.axes names a variant {ascii(name)[:100]}, which cannot be a folder's name. Leave the '/' out, and "
            f"use at most {MOST_NAME_BYTES} bytes."
        )
    if name.startswith(LEVEL):
        try:
            level = float(name.removeprefix(LEVEL))
        except ValueError:  # another name with the same prefix
            return
        if not 0 <= level <= 1:
            raise UserError(f"group.axes names a variant {name!r}. Give a corruption from 0 to 1.")

"""Sweeps: lists and products of run configurations, bound in gin, laid out as a `Manifest`."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import gin

from rethink_keras import config as configuration
from rethink_keras.data.sources import Dataset, find_source
from rethink_keras.errors import UserError
from rethink_keras.experiments.sweeps.manifest import (
    MOST_NAME_BYTES,
    MOST_THREADS,
    NAME,
    ROOT,
    Manifest,
    PlannedRun,
    as_named,
    is_folder_name,
)
from rethink_keras.training.config import TrainConfig
from rethink_keras.training.schedules import MOST_EPOCHS
from rethink_keras.validation import check_choice, check_int, check_seed

ENGINES = ("local", "ray")
SIZES = ("full", "small")
PLAIN = "plain"  # the variant that lays nothing over its network
LEVEL = "corruption_"  # begins the name of a variant with that share of corrupted labels
MOST_RETRIES = 1000


@gin.configurable("group")
@dataclasses.dataclass(frozen=True)
class Group:
    """Variants of one network.

    An overlay is a gin file, if it ends in '.gin', else a binding. Gin files are looked up beside the sweep's
    gin file and then in the project's folder gin/.

    Attributes:
        network: its name in tables and figures.
        base: overlays of all variants.
        axes: each names what it can be and the overlays that make it so, such as
            `{'': [], 'crop': ['with/random_crop.gin']}`. Variants are the product of the axes, named by joining
            the names with '+'. One axis is a list.
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
        """Name and overlays of each variant."""
        for choice in itertools.product(*(axis.items() for axis in self.axes)):
            name = "+".join(label for label, _ in choice if label) or PLAIN
            _check_variant(name)
            yield name, [*self.base, *itertools.chain.from_iterable(overlays for _, overlays in choice)]


@gin.configurable("sweep")
@dataclasses.dataclass(frozen=True)
class Sweep:
    """What runs together and how.

    Attributes:
        paper_result: the table or figure that it makes; a report compares 'table1', 'figure1a' and the like with
            the paper's.
        size: 'full', or 'small' for one cut down, which compares with nothing.
        title: a line for people.
        groups: networks and their variants.
        overlays: laid over every run, after all others.
        seeds: every variant is run with each.
        threads: of a run; 'auto' divides the processor's cores among as many runs as there can be.
        retries: how many more times a run is tried that failed in a way that may pass.
        engine: 'local' or 'ray'.
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
        check_choice("sweep.engine", self.engine, ENGINES)
        check_int("sweep.retries", self.retries, 0, MOST_RETRIES)
        if self.threads != "auto":
            check_int("sweep.threads", self.threads, 1, MOST_THREADS)
        for seed in self.seeds:
            check_seed("sweep.seeds", seed)
        if not self.groups or not self.seeds:
            raise UserError(
                "The sweep has no runs. Name a gin file of gin/sweeps/, or bind sweep.groups and sweep.seeds."
            )

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(self.seeds) * sum(len(list(group.variants())) for group in self.groups)

    def manifest(
        self, gin_files: Sequence[str], bindings: Sequence[str], threads: int, allow_imports: bool = False
    ) -> Manifest:
        """All runs, each with its configuration read and checked; replaces gin's present configuration.

        Args:
            gin_files: that `bin/sweep` was given.
            bindings: likewise.
            threads: of each run.
            allow_imports: whether gin files may import modules from outside of this package.

        Raises:
            UserError: if a run's configuration is wrong, or two runs have the same name.
        """
        folders = overlay_folders(gin_files)
        runs = []
        for group in self.groups:
            for (variant, overlays), seed in itertools.product(list(group.variants()), self.seeds):
                files, params = sorted_overlays([*overlays, *self.overlays], folders)
                name = f"{group.network}/{variant}/seed_{seed}"
                runs.append(
                    planned(name, group.network, variant, seed, files, params, threads, allow_imports)
                )
        names = [run.name for run in runs]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise UserError(
                f"The sweep has two runs named {min(doubled)}. Give a variant or a network another name."
            )
        files_given = tuple(map(as_named, gin_files))
        return Manifest(self.paper_result, self.size, self.title, files_given, tuple(bindings), tuple(runs))


def check_same(folder: Path, manifest: Manifest) -> None:
    """Raises UserError if `folder` holds runs of the same names with another configuration."""
    if not (folder / NAME).exists():
        return
    before = {run.name: run for run in Manifest.read(folder).runs}
    for run in manifest.runs:
        there = before.get(run.name)
        if there is not None and not there.computes_the_same(run):
            lines = difflib.unified_diff(
                there.arguments(folder), run.arguments(folder), "in the folder", "asked for", lineterm="", n=0
            )
            told = "\n".join(lines) or "the content of its gin files"
            raise UserError(
                f"{folder} holds a sweep with another {run.name}. Name another --workdir, or take the "
                f"configuration back. The difference:\n{told}"
            )


def grown(folder: Path, manifest: Manifest, replace: bool = False) -> Manifest:
    """The sweep in `folder` with the runs of `manifest` added; a sweep only grows, unless asked otherwise.

    Args:
        folder: of the sweep.
        manifest: what is asked for now.
        replace: leave out the runs of the earlier `sweep.json` that `manifest` does not name.

    Raises:
        UserError: if the folder holds runs of the same names with another configuration, or another sweep.
    """
    check_same(folder, manifest)
    if replace or not (folder / NAME).exists():
        return manifest
    there = Manifest.read(folder)
    before, asked = ({run.name for run in part.runs} for part in (there, manifest))
    if before <= asked:
        return manifest
    for field in ("paper_result", "size"):
        if getattr(there, field) != getattr(manifest, field):
            raise UserError(
                f"{folder} holds a sweep with sweep.{field} = {getattr(there, field)!r}, not "
                f"{getattr(manifest, field)!r}. Name another --workdir, or forget its other runs with --replace."
            )
    # Gin files may have changed without changing a configuration: a run is made by the files that it has now.
    now = {run.name: run for run in manifest.runs}
    kept = tuple(now.get(run.name, run) for run in there.runs)
    if asked <= before:
        return dataclasses.replace(there, runs=kept)
    new = tuple(run for run in manifest.runs if run.name not in before)
    return dataclasses.replace(manifest, runs=(*kept, *new))


def overlay_folders(gin_files: Sequence[str]) -> list[Path]:
    """Where overlays are looked up: beside the gin files that a command was given, then in gin/."""
    return [*(Path(file).resolve().parent for file in gin_files), ROOT / "gin"]


def sorted_overlays(overlays: Sequence[str], folders: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Gin files and bindings; a gin file's path is written as seen from the project, where it lies in it."""
    files = [_found(o, folders) for o in overlays if o.endswith(".gin")]
    return files, [o for o in overlays if not o.endswith(".gin")]


def _found(name: str, folders: Sequence[Path]) -> str:
    for folder in folders:
        path = (folder / name).resolve()
        if path.is_file():
            return as_named(path)
    raise UserError(f"The gin file {name} is in none of {', '.join(map(str, folders))}. Correct its name.")


def _check_variant(name: str) -> None:
    if not is_folder_name(name):
        raise UserError(
            f"group.axes names a variant {ascii(name)[:100]}, which cannot be a folder's name. Leave the '/' out, and "
            f"use at most {MOST_NAME_BYTES} bytes."
        )
    if name.startswith(LEVEL):
        try:
            level = float(name.removeprefix(LEVEL))
        except ValueError:  # another name that begins so
            return
        if not 0 <= level <= 1:
            raise UserError(f"group.axes names a variant {name!r}. Give a corruption from 0 to 1.")


def planned(
    name: str,
    network: str,
    variant: str,
    seed: int,
    files: list[str],
    params: list[str],
    threads: int,
    allow_imports: bool = False,
) -> PlannedRun:
    """A run with its configuration read and checked; replaces gin's present configuration.

    Raises:
        UserError: if its configuration is wrong.
    """
    configuration.parse(
        [ROOT / file for file in files], [*params, f"train.seed = {seed}"], allow_imports=allow_imports
    )
    dataset = configuration.bound("dataset.name", configuration.default(Dataset, "name"))
    epochs = configuration.bound("train.epochs", configuration.default(TrainConfig, "epochs"))
    source = find_source("dataset.name", dataset)
    check_int("train.epochs", epochs, 1, MOST_EPOCHS)
    examples = configuration.bound("dataset.train_examples", None)
    if examples is None:
        examples = source.train_examples
    check_int("dataset.train_examples", examples, 1)
    return PlannedRun(
        name=name,
        network=network,
        variant=variant,
        seed=seed,
        gin_files=tuple(files),
        bindings=tuple(params),
        epochs=epochs,
        images=epochs * examples,
        threads=threads,
        fingerprint=configuration.fingerprint(),
        allow_imports=allow_imports,
    )

"""`sweep.json`: every run that belongs to a sweep, done or not."""

from __future__ import annotations

import dataclasses
import difflib
import json
import typing
from collections.abc import Iterator
from pathlib import Path

import typeguard

from rethink_keras.errors import UserError
from rethink_keras.experiments.paths import configuration_flags, typed_command, typed_path
from rethink_keras.experiments.planned_run import PlannedRun
from rethink_keras.system.files import write_atomically
from rethink_keras.workdir import text_files
from rethink_keras.workdir.json_files import read_json

NAME = "sweep.json"
FORMAT = 1
ALL_ITEMS = typeguard.CollectionCheckStrategy.ALL_ITEMS


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A sweep and its runs.

    Attributes:
        paper_result: Table or figure of the paper that the sweep reproduces, such as 'table1', or 'own'.
        size: 'full', or 'small' for a sweep that ends in minutes and is not compared with the paper.
        title: A line for people.
        gin_files: Gin files of `bin/sweep`. Relative ones are relative to the project's folder.
        bindings: Gin bindings of `bin/sweep`.
        runs: All runs, at least one.
    """

    paper_result: str
    size: str
    title: str
    gin_files: tuple[str, ...]
    bindings: tuple[str, ...]
    runs: tuple[PlannedRun, ...]

    @property
    def images(self) -> int:
        """Training images of all runs at most."""
        return sum(run.images for run in self.runs)

    def command(self, folder: Path) -> str:
        """Returns the command that runs this sweep, as a user types it in the present folder."""
        flags = configuration_flags(self.gin_files, self.bindings)
        imports = ["--allow_imports"] if any(run.allow_imports for run in self.runs) else []
        return typed_command("sweep", *flags, *imports, f"--workdir={typed_path(folder)}")

    def write(self, folder: Path) -> None:
        """Writes `sweep.json` to a folder."""
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1) + "\n"
        write_atomically(folder / NAME, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads the `sweep.json` of a folder.

        Raises:
            UserError: It is damaged, or has another format.
        """
        path = folder / NAME
        try:
            fields = read_json(path)
            json.dumps(fields, ensure_ascii=False).encode()  # refuses half of a surrogate pair
            if fields.pop("format") != FORMAT:
                raise ValueError("another format")
            if "artefact" in fields:  # the name of this key in earlier versions
                fields["paper_result"] = fields.pop("artefact")
            runs = tuple(PlannedRun(**_with_tuples(run)) for run in fields.pop("runs"))
            manifest = cls(runs=runs, **_with_tuples(fields))
            for part in (manifest, *runs):
                for field, kind in typing.get_type_hints(type(part)).items():
                    typeguard.check_type(getattr(part, field), kind, collection_check_strategy=ALL_ITEMS)
            if not runs:
                raise ValueError("no runs")
            for run in runs:
                run.check()
            return manifest
        except (OSError, ValueError, KeyError, TypeError, AttributeError, typeguard.TypeCheckError) as error:
            what = str(error).partition("\n")[0][:200] or type(error).__name__
            raise UserError(
                f"{path} is damaged or of another version ({what}). Remove it and run bin/sweep again: "
                "the runs beside it are kept."
            ) from error

    @classmethod
    def read_if_any(cls, folder: Path) -> Manifest | None:
        """Reads the `sweep.json` of a folder; returns None if there is none.

        Raises:
            UserError: It is damaged, or has another format.
        """
        return cls.read(folder) if (folder / NAME).exists() else None

    def merged(self, folder: Path, replace: bool = False) -> Manifest:
        """Returns the sweep of a folder with this one's runs added: a sweep only grows, unless it is replaced.

        Args:
            folder: Folder of the sweep.
            replace: Leave out the runs of the folder's `sweep.json` that this manifest does not name.

        Raises:
            UserError: The folder contains runs of the same names with another configuration, or another sweep.
        """
        earlier = Manifest.read_if_any(folder)
        if earlier is None:
            return self
        before, requested = ({run.name: run for run in part.runs} for part in (earlier, self))
        for name in requested:
            if name in before:
                _check_same(before[name], requested[name], folder)
        if replace or before.keys() <= requested.keys():
            return self
        for field in ("paper_result", "size"):
            if getattr(earlier, field) != getattr(self, field):
                raise UserError(
                    f"{folder} contains a sweep with sweep.{field} = {getattr(earlier, field)!r}, not "
                    f"{getattr(self, field)!r}. Name another --workdir, or take its other runs out with --replace."
                )
        whole = self if requested.keys() - before.keys() else earlier
        # Gin files may have changed without a change of configuration. Commands must name the present ones.
        return dataclasses.replace(whole, runs=tuple({**before, **requested}.values()))


def find(folder: Path) -> Iterator[Path]:
    """Yields the folders of sweeps in and below a folder, in the order of their names."""
    return (path.parent for path in text_files.find(folder, NAME))


def _with_tuples(fields: dict) -> dict:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


def _check_same(there: PlannedRun, run: PlannedRun, folder: Path) -> None:
    """Raises UserError if an earlier sweep has a run of the same name with another configuration."""
    if there.computes_the_same(run):
        return
    before, requested = there.arguments(folder), run.arguments(folder)
    lines = difflib.unified_diff(before, requested, "in the folder", "requested", lineterm="", n=0)
    difference = "\n".join(lines) or "the content of its gin files"
    raise UserError(
        f"{folder} contains a sweep with another {run.name}. Name another --workdir, or restore the "
        f"configuration. The difference:\n{difference}"
    )

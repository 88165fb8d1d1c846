"""What a sweep is made of, as its `sweep.json` says: every run that belongs to it, done or not."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import typeguard

from rethink_keras.errors import UserError
from rethink_keras.system.files import write_atomically
from rethink_keras.workdir import text_files
from rethink_keras.workdir.json_files import read_json

ROOT = Path(__file__).resolve().parents[3]
NAME = "sweep.json"
FAILURE = "failed.txt"  # in a run's folder: why it failed for good
FORMAT = 1
MOST_NAME_BYTES = 200
MOST_THREADS = 1024
MOST = 10**15  # of epochs and images: what is beyond is damage
ALL_ITEMS = typeguard.CollectionCheckStrategy.ALL_ITEMS


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Attributes:
        name: its folder below the sweep's, such as 'mlp_1x512/random_labels/seed_0'.
        network: row of a table or curve of a figure, such as 'mlp_1x512'.
        variant: what is done to the network or its data, such as 'random_labels' or 'corruption_0.3'.
        seed: of the run.
        gin_files: those that `bin/train` is given; relative ones are those of the project's folder.
        bindings: those that `bin/train` is given, the seed's not among them.
        epochs: at most so many.
        images: training images that pass through the network at most: epochs times examples.
        threads: of the processor, which convolutions' last bits depend on; 0 for all.
        fingerprint: SHA-256 (hex) of its configuration.
        allow_imports: whether its gin files may import modules from outside of this package.
    """

    name: str
    network: str
    variant: str
    seed: int
    gin_files: tuple[str, ...]
    bindings: tuple[str, ...]
    epochs: int
    images: int
    threads: int = 0
    fingerprint: str = ""
    allow_imports: bool = False

    def arguments(self, folder: Path, written: Callable[[Path], Path] = Path.absolute) -> list[str]:
        """Arguments of `bin/train` for this run of a sweep in `folder`.

        Args:
            folder: of the sweep.
            written: how paths are written; absolute ones mean the same in every folder.
        """
        return [
            *(f"--gin_file={written(ROOT / file)}" for file in self.gin_files),
            *(f"--gin_param={binding}" for binding in self.bindings),
            f"--seed={self.seed}",
            *([f"--threads={self.threads}"] if self.threads else []),
            *(["--allow_imports"] if self.allow_imports else []),
            f"--workdir={written(folder / self.name)}",
        ]

    def computes_the_same(self, other: PlannedRun) -> bool:
        """Whether both have the same name, configuration and threads, whatever gin files they are made from."""
        if not self.fingerprint:  # of a sweep.json that names none
            return self == other
        mine, others = ((run.name, run.fingerprint, run.threads) for run in (self, other))
        return mine == others

    def command(self, folder: Path) -> str:
        """The command that makes this run, as one would type it in the present folder."""
        return typed("train", *self.arguments(folder, as_typed))

    def check(self) -> None:
        """Raises ValueError if no sweep plans such a run."""
        labels = self.network + self.variant  # which are shown, and name no folder by themselves
        if not all(map(is_folder_name, self.name.split("/"))) or not labels.isprintable():
            raise ValueError(f"the name {ascii(self.name)[:80]}")
        counts = 1 <= self.epochs <= MOST and 0 <= self.images <= MOST
        if not counts or not 0 <= self.threads <= MOST_THREADS or not 0 <= self.seed < 2**32:
            raise ValueError(f"the numbers of {self.name}")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A sweep and its runs.

    Attributes:
        paper_result: the table or figure of the paper that it makes, such as 'table1', or 'own'.
        size: 'full', or 'small' for one that is cut down to end in minutes and compares with nothing.
        title: a line for people.
        gin_files: those that `bin/sweep` was given; relative ones are those of the project's folder.
        bindings: likewise given.
        runs: all of them, at least one.
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
        """The command that makes this sweep, as one would type it in the present folder."""
        files = [f"--gin_file={as_typed(ROOT / file)}" for file in self.gin_files]
        params = [f"--gin_param={binding}" for binding in self.bindings]
        imports = ["--allow_imports"] if any(run.allow_imports for run in self.runs) else []
        return typed("sweep", *files, *params, *imports, f"--workdir={as_typed(folder)}")

    def write(self, folder: Path) -> None:
        """Writes `sweep.json` into a folder."""
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1) + "\n"
        write_atomically(folder / NAME, text.encode())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads the `sweep.json` of a folder.

        Raises:
            UserError: if it is damaged, or of another format.
        """
        path = folder / NAME
        try:
            fields = read_json(path)
            json.dumps(fields, ensure_ascii=False).encode()  # a text with half a character cannot be written
            if fields.pop("format") != FORMAT:
                raise ValueError("another format")
            if "artefact" in fields:  # its name in earlier versions
                fields["paper_result"] = fields.pop("artefact")
            runs = tuple(PlannedRun(**{k: _frozen(v) for k, v in run.items()}) for run in fields.pop("runs"))
            read = cls(runs=runs, **{k: _frozen(v) for k, v in fields.items()})
            for part in (read, *runs):
                for field, kind in typing.get_type_hints(type(part)).items():
                    typeguard.check_type(getattr(part, field), kind, collection_check_strategy=ALL_ITEMS)
            if not runs:
                raise ValueError("no runs")
            for run in runs:
                run.check()
            return read
        except _DAMAGED as error:
            what = str(error).partition("\n")[0][:200] or type(error).__name__
            raise UserError(
                f"{path} is damaged or of another version ({what}). Remove it and run bin/sweep again: "
                "the runs beside it are kept."
            ) from error


def find(folder: Path) -> Iterator[Path]:
    """Folders of sweeps in and below a folder, in the order of their names."""
    return (path.parent for path in text_files.find(folder, NAME))


def is_folder_name(name: str) -> bool:
    """Whether `name` can be that of a folder below another one: printable, and no path of its own."""
    return (
        name.isprintable()
        and name.strip() == name
        and name not in ("", ".", "..")
        and not set(name) & {"/", "\\"}
        and len(name.encode()) <= MOST_NAME_BYTES
    )


def as_named(path: str | Path) -> str:
    """A path as `sweep.json` holds it: relative to the project's folder if it lies there, else absolute."""
    whole = Path(path).resolve()
    return str(whole.relative_to(ROOT) if whole.is_relative_to(ROOT) else whole)


def as_typed(path: Path) -> Path:
    """A path as one would type it in the present folder: short in the project's own, else absolute."""
    if Path.cwd() != ROOT:
        return path.absolute()
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def typed(command: str, *flags: str) -> str:
    """A command of bin/ as one would type it in the present folder."""
    return " ".join(map(_quoted, (str(as_typed(ROOT / "bin" / command)), *flags)))


def _quoted(word: str) -> str:
    """A word for the shell; a flag's value that holds quotes stands in quotes of the other kind."""
    flag, _, value = word.partition("=")
    if "'" in value and not re.search(r'["$`\\!]', value) and shlex.quote(flag) == flag:
        return f'{flag}="{value}"'
    if value and shlex.quote(flag) == flag:
        return f"{flag}={shlex.quote(value)}"
    return shlex.quote(word)


_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    typeguard.TypeCheckError,
)


def _frozen(value):
    return tuple(value) if isinstance(value, list) else value

"""Finds gin files: by path, then beside the file that names them, then by name among those of this package."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from rethink_keras.errors import UserError
from rethink_keras.system.installation import config_folder

MOST_SUGGESTED = 3


def find_gin_file(
    name: str | Path, folders: Sequence[Path] | None = None, named_by: str = "--gin_file"
) -> Path:
    """Returns the resolved path of a gin file.

    Args:
        name: An absolute path; or a path relative to one of `folders`; or a name in this package, such as
            'quickstart.gin', 'with/random_labels.gin' or 'gin/quickstart.gin'.
        folders: Folders to look in, the first one first, before the package; None for the present folder.
        named_by: The flag or file that contains the name, for messages.

    Raises:
        UserError: There is no such file. The message has the folders and the nearest names.
    """
    folders = [Path()] if folders is None else folders
    places = list(dict.fromkeys((*folders, config_folder())))
    for folder in places:
        if _is_file(folder / name, named_by):
            return (folder / name).resolve()
    # Commands in the headers of gin files and in the documents are relative to the project's folder.
    if Path(name).parts[:1] == (config_folder().name,) and _is_file(config_folder().parent / name, named_by):
        return (config_folder().parent / name).resolve()
    looked = " and in ".join("the present folder" if folder == Path() else str(folder) for folder in places)
    where = "" if Path(name).is_absolute() else f" It was looked for in {looked}."
    raise UserError(f"There is no gin file {name}, which {named_by} names.{where}{_nearest(name, folders)}")


def package_names() -> list[str]:
    """Returns the names of the gin files of this package, such as 'with/random_labels.gin', in order."""
    folder = config_folder()
    found = (path.relative_to(folder) for path in folder.rglob("*.gin"))
    return [path.as_posix() for path in sorted(found, key=lambda path: (path.parent, path.name))]


def first_line(name: str) -> str:
    """Returns the first line of the header of a gin file of this package, without the comment sign."""
    with (config_folder() / name).open(encoding="utf-8") as file:
        return file.readline().lstrip("#").strip()


def _is_file(path: Path, named_by: str) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{str(path)[:80]} is no path of a gin file ({why}). Check {named_by}.") from error


def _nearest(name: str | Path, folders: Iterable[Path]) -> str:
    """Returns a sentence with the nearest names beside the missing file and in the package, or where all are listed."""
    parent = Path(name).parent
    beside = [str(parent / p.name) for folder in folders for p in sorted((folder / parent).glob("*.gin"))]
    known = list(dict.fromkeys([*beside, *package_names()]))
    stems = difflib.get_close_matches(Path(name).stem, {Path(k).stem for k in known}, MOST_SUGGESTED, 0.6)
    near = [k for stem in stems for k in known if Path(k).stem == stem][:MOST_SUGGESTED]
    if near:
        return f" Did you mean {' or '.join(map(repr, near))}?"
    return " Correct the path; bin/configs lists the gin files of this package."

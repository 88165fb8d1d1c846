"""Writes a report: the page, Markdown, a CSV a table, a PNG and an SVG a picture."""

from __future__ import annotations

from pathlib import Path

from rethink_keras.errors import UserError
from rethink_keras.reports import page, sections, tables
from rethink_keras.reports.collect import Collection, collect
from rethink_keras.system.files import write_atomically


def write(workdir: str | Path, output: str | Path) -> Collection:
    """Reports on all sweeps and runs in and below a folder; the same input gives the same bytes.

    Args:
        workdir: of sweeps and runs, complete or not.
        output: folder to write to; made if it is not there.

    Returns:
        What was found.

    Raises:
        UserError: if there is nothing to report, or the output cannot be written.
    """
    collection = collect(Path(workdir))
    folder = Path(output)
    try:
        for place in ("tables", "figures"):
            (folder / place).mkdir(parents=True, exist_ok=True)
        for name, content in _files(collection).items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}). Name another with --output."
        ) from error
    return collection


def _files(collection: Collection) -> dict[str, bytes]:
    """Contents by name."""
    made = sections.make(collection)
    files = {
        "index.html": page.html(collection, made).encode(),
        "report.md": page.markdown(collection, made).encode(),
    }
    for section in made:
        files[f"tables/{section.slug}.csv"] = tables.to_csv(section.table).encode()
        for picture in section.pictures:
            files[f"figures/{picture.slug}.png"] = picture.png
            files[f"figures/{picture.slug}.svg"] = picture.svg
    return files

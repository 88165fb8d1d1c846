"""Writes a report: an HTML page, Markdown, a CSV a table, a PNG and an SVG a plot."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rethink_keras.errors import UserError
from rethink_keras.reports import page, sections, table_formats
from rethink_keras.reports.collect import Collection, collect
from rethink_keras.system.files import write_atomically


def write(workdir: str | Path, output: str | Path) -> Collection:
    """Writes a report on all sweeps and runs in and below a folder; the same runs give the same bytes.

    Args:
        workdir: Folder of sweeps and runs, complete or not.
        output: Folder to write to. It is made if it does not exist.

    Returns:
        The sweeps and runs.

    Raises:
        UserError: There is nothing to report, or the output cannot be written.
    """
    collection = collect(Path(workdir))
    troubles = (*collection.troubles, *sections.unknown_results(collection))
    collection = dataclasses.replace(collection, troubles=troubles)
    folder = Path(output)
    try:
        for name in ("tables", "figures"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, content in _files(collection).items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror}). Name another with --output."
        ) from error
    return collection


def _files(collection: Collection) -> dict[str, bytes]:
    """Returns the content of each file by its name."""
    parts = sections.make(collection)
    files = {
        "index.html": page.render("page.html.j2", collection, parts).encode(),
        "report.md": page.render("report.md.j2", collection, parts).encode(),
    }
    for section in parts:
        files[f"tables/{section.slug}.csv"] = table_formats.to_csv(section.table).encode()
        for plot in section.plots:
            files[f"figures/{plot.slug}.png"] = plot.png
            files[f"figures/{plot.slug}.svg"] = plot.svg
    return files

"""Executes docs/tutorial.ipynb, and writes it with the outputs: .venv/bin/python -m tests.notebook"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from unittest import mock

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"
LAUNCHER = ("-m", "ipykernel_launcher", "--log-level=ERROR", "-f", "{connection_file}")
CELL_TIMEOUT = 600  # seconds
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read() -> nbformat.NotebookNode:
    """Returns the committed notebook."""
    return nbformat.read(TUTORIAL, as_version=4)


def execute(
    notebook: nbformat.NotebookNode,
    folder: Path,
    home: Path,
    python: str = sys.executable,
    **environment: str,
) -> None:
    """Executes a notebook in a folder, in a kernel of a Python; its outputs are replaced.

    Args:
        notebook: The notebook.
        folder: The present folder of the kernel.
        home: The home folder of the kernel, where all that it keeps is written: data sets, settings, history.
        python: Python that runs the kernel.
        environment: Further environment variables of the kernel.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raised an error.
    """
    spec = home / "jupyter" / "kernels" / "tutorial"
    spec.mkdir(parents=True)
    argv = [python, *LAUNCHER]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "", "language": "python"}))
    dropped = ("PYTHONPATH", "TFDS_DATA_DIR", "XDG_CACHE_HOME", "IPYTHONDIR", "MPLBACKEND")
    kernel = {name: value for name, value in os.environ.items() if name not in dropped}
    kernel |= {
        "HOME": str(home),
        "JUPYTER_PATH": str(home / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }
    with mock.patch.dict(os.environ, {**kernel, **environment}, clear=True):
        resources = {"metadata": {"path": str(folder)}}
        options = {"timeout": CELL_TIMEOUT, "record_timing": False, "coalesce_streams": True}
        NotebookClient(notebook, kernel_name="tutorial", resources=resources, **options).execute()


def clean(notebook: nbformat.NotebookNode) -> None:
    """Removes what changes with each execution or machine: times, versions, terminal colours."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                output.text = re.sub(r"\x1b\[[0-9;]*m", "", output.text).replace("\r\n", "\n")


def main() -> None:
    """Executes the tutorial with the package of this clone and writes it."""
    notebook = read()
    with tempfile.TemporaryDirectory() as folder:
        work, home = Path(folder) / "work", Path(folder) / "home"
        work.mkdir()
        execute(notebook, work, home, PYTHONPATH=str(ROOT))
    clean(notebook)
    nbformat.write(notebook, TUTORIAL)
    print(f"Wrote {TUTORIAL.relative_to(ROOT)}: {TUTORIAL.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""Finds a Python that has the requirements: the running one, or that of the .venv beside bin/."""

import importlib.util
import os
import sys
from pathlib import Path

NEEDED = (
    "absl",
    "filelock",
    "jinja2",
    "keras",
    "keras_tuner",
    "tensorflow",
    "tensorflow_datasets",
    "typeguard",
)
OLDEST = (3, 11)  # Python
ROOT = Path(__file__).resolve().parent.parent


def enter() -> None:
    """Makes `rethink_keras` importable. Restarts with the Python of .venv if this one is too old or lacks packages."""
    sys.path[0] = str(ROOT)
    recent = sys.version_info >= OLDEST
    if recent and all(importlib.util.find_spec(name) for name in NEEDED):
        return
    python = ROOT / ".venv" / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != python.parent.parent.resolve():
        os.execv(python, [str(python), *sys.argv])
    if recent:
        print(
            "Not all requirements are installed here. Run 'make demo' once, or pip install -r requirements.txt.",
            file=sys.stderr,
        )
    else:
        needed, found = (".".join(map(str, version[:2])) for version in (OLDEST, sys.version_info))
        print(
            f"Python {needed} or later is needed, and this is {found}. Run 'make clean demo PYTHON=python{needed}'.",
            file=sys.stderr,
        )
    sys.exit(2)

"""Finds the Python that has the requirements: the one running, or the .venv beside bin/."""

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
ROOT = Path(__file__).resolve().parent.parent


def enter() -> None:
    """Makes `rethink_keras` importable; goes over to the Python of .venv if this one lacks TensorFlow."""
    sys.path[0] = str(ROOT)
    if all(importlib.util.find_spec(name) for name in NEEDED):
        return
    python = ROOT / ".venv" / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != python.parent.parent.resolve():
        os.execv(python, [str(python), *sys.argv])
    print(
        "Not all requirements are installed here. Run 'make demo' once, or pip install -r requirements.txt.",
        file=sys.stderr,
    )
    sys.exit(2)

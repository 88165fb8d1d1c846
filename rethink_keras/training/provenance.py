"""How a run was computed: versions, machine, fingerprints."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import rethink_keras
from rethink_keras.training.distribution import devices

_LIBRARIES = ("keras", "tensorflow", "tensorflow-datasets", "numpy", "gin-config")
_PACKAGE = Path(rethink_keras.__file__).parent
# No metric of a run depends on these; on everything else it does, or may.
_NOT_COMPUTING = (
    "commands",
    "experiments",
    "reports",
    "system",
    "workdir",
    "api.py",
    "errors.py",
    "plotting.py",
)


def environment() -> dict[str, Any]:
    """Returns the versions of the libraries and of this code, and the machine."""
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    own = {"python": platform.python_version(), "rethink_keras": code_version()}
    return {"versions": {**own, **versions}, "device": devices.describe()}


def code_version(package: Path = _PACKAGE) -> str:
    """Returns the version and 12 hex digits of the SHA-256 over the sources that compute metrics.

    It distinguishes runs of different code. It is no part of a checkpoint's identity: a run can be resumed after a
    change, and records both versions.
    """
    digest = hashlib.sha256()
    sources = (p for p in package.rglob("*.py") if p.relative_to(package).parts[0] not in _NOT_COMPUTING)
    for path in sorted(sources):
        name, content = path.relative_to(package).as_posix().encode(), path.read_bytes()
        digest.update(b"%d %s %d " % (len(name), name, len(content)) + content)
    return f"{rethink_keras.__version__}+{digest.hexdigest()[:12]}"


def fingerprint(arrays: Sequence) -> str:
    """Returns the SHA-256 (hex) of the values of arrays or variables."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(np.asarray(array)).data)
    return digest.hexdigest()

"""The experiments of Zhang et al. 2017, 'Understanding deep learning requires rethinking generalization'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rethink_keras.api import run as run
    from rethink_keras.training.train import Result as Result

__all__ = ["Result", "run"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # TensorFlow takes seconds to import: only what needs it does.
    if name == "run":
        from rethink_keras.api import run

        return run
    if name == "Result":
        from rethink_keras.training.train import Result

        return Result
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The file `model.keras` of a run."""

from __future__ import annotations

from pathlib import Path

import keras

from rethink_keras.models.copies import plain_network
from rethink_keras.system.files import replacing


def save_plain(network: keras.Model, path: Path) -> None:
    """Writes a network for prediction and fine-tuning: Keras's own layers, without optimizer, the whole file or none.

    Args:
        network: A trained network; it is not changed.
        path: Ends in `.keras`.
    """
    with replacing(path) as partial:
        plain_network(network).save(partial)

"""What several tests of models need."""

import math
import tempfile
from pathlib import Path

import keras


def trainable_parameters(model) -> int:
    """Counts trainable parameters, as the paper does; moving statistics are not among them."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def save_and_load(model):
    """Returns the model as a .keras file gives it back in safe mode."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        return keras.saving.load_model(file, safe_mode=True)

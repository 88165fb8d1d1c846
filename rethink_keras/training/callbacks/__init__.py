"""The callbacks of a run, a file each. `training.train` lists them in the order in which they are called."""

from rethink_keras.training.callbacks.run_callback import CALLBACKS, RunCallback

__all__ = ["CALLBACKS", "RunCallback"]

"""Engines, which run the jobs of a sweep. Importing the package registers them."""

from rethink_keras.experiments.engines import local, ray_cluster
from rethink_keras.experiments.engines.engine import ENGINES, Engine

__all__ = ["ENGINES", "Engine", "local", "ray_cluster"]

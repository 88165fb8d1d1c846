"""What is measured of a network after an epoch: a file each."""

from rethink_keras.training.evaluators.evaluator import EVALUATORS, Evaluator

__all__ = ["EVALUATORS", "Evaluator"]

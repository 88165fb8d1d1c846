"""Optimizers that `train.optimizer` can name: a file for each, registered by `@optimizer`."""

from rethink_keras.training.optimizers.adam import adam
from rethink_keras.training.optimizers.muon import muon
from rethink_keras.training.optimizers.registration import DataDependent, OptimizerBuilder, optimizer
from rethink_keras.training.optimizers.rmsprop import rmsprop
from rethink_keras.training.optimizers.sgd import sgd
from rethink_keras.training.optimizers.whitened_sgd import whitened_sgd

__all__ = ["DataDependent", "OptimizerBuilder", "adam", "muon", "optimizer", "rmsprop", "sgd", "whitened_sgd"]

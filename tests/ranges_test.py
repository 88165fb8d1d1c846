"""Every number that gin can bind has a range: nonsense is refused with a sentence, and without a long wait."""

import contextlib
import inspect
import io
import math
import pkgutil
import typing
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import gin
import keras_tuner
from absl.testing import absltest, parameterized

import rethink_keras
from rethink_keras import config
from rethink_keras.config import gin_private
from rethink_keras.errors import UserError
from rethink_keras.experiments.sweeps.sweep import Group
from tests.training.small_runs import SMALL

MODULES = [found.name for found in pkgutil.walk_packages(rethink_keras.__path__, "rethink_keras.")]
for module in MODULES:
    import_module(module)  # makes its names known to gin

LARGE, HUGE = 2**31 - 1, 10**400
NONSENSE = {
    int: (-1, 0, LARGE, HUGE, 1e308),
    float: (-1, 0, math.inf, -math.inf, 1e308, -1e308, HUGE, math.nan),
}
# The values among them that make sense, by parameter. All others must be refused.
SEED = (0, LARGE)
LEGITIMATE = {
    "randomization.corruption": (0,),
    "randomization.fraction": (0,),
    "randomization.seed": SEED,
    "dataset.train_examples": (LARGE,),  # compared with the size of the data set, once that is known
    "dataset.test_examples": (LARGE,),
    "augmentation.padding": (0,),
    "augmentation.rotation": (0,),
    "preprocessing.crop": (LARGE,),  # likewise with the images
    "preprocessing.channel_mean": (0,),
    "small_inception.batch_norm_momentum": (0,),
    "inception_v3.batch_norm_momentum": (0,),
    "evaluation.batch_size": (LARGE,),  # all examples at once
    "evaluation.every_epochs": (LARGE,),
    "evaluation.fit_loss": (0,),
    "confusion.every_epochs": (0, LARGE),
    "confusion.examples": (LARGE,),
    "cosine.final": (0,),
    "sgd.momentum": (0,),
    "adam.beta_1": (0,),
    "adam.beta_2": (0,),
    "rmsprop.rho": (0,),
    "rmsprop.momentum": (0,),
    "muon.momentum": (0,),
    "whitened_sgd.momentum": (0,),
    "regularization.weight_decay": (0,),
    "regularization.dropout": (0,),
    "checkpoints.every_epochs": (LARGE,),
    "checkpoints.every_minutes": (0,),
    "checkpoints.keep_last": (LARGE,),
    "checkpoints.keep_every": (0, LARGE),
    "train.batch_size": (LARGE,),  # compared with the number of examples, once that is known
    "train.seed": SEED,
    "train.steps_per_execution": (LARGE,),
    "sweep.seeds": SEED,
    "sweep.retries": (0,),
    "ray.gpus_per_run": (0,),
    "ray.lost_machines": (-1, 0, LARGE),
    "bayesian.random_trials": (LARGE,),
    "bayesian.exploration": (0,),
    "search.seed": SEED,
    "search.run_seed": SEED,
    "search.retries": (0,),
    "search.patience_minutes": (0,),
    "space.uniform": (-1, 0),
    "space.integer": (-1, 0, LARGE),
    "random_convolutions.threshold": (0,),
    "random_convolutions.seed": SEED,
    "expressivity_table.seed": SEED,
    "direct.most_steps": (LARGE,),
    "direct.checkpoint_minutes": (0,),
    "iterative.most_steps": (LARGE,),
    "iterative.seed": SEED,
    "interpolation.ridge": (0,),
    "interpolation.seed": SEED,
    "minimum_norm.momentum": (0,),
    "minimum_norm.initial_scales": (0,),
    "minimum_norm.seed": SEED,
}
EXPERIMENTS = ("train.", "interpolation.", "expressivity_table.", "minimum_norm.")  # take seconds to run
SCHEDULED = {"initial": 0.1, "steps_per_epoch": 1, "epochs": 1}
ORACLE = {
    "objective": keras_tuner.Objective("train_accuracy", "max"),
    "hyperparameters": keras_tuner.HyperParameters(),
    "seed": 0,
}
IMAGES = {"input_shape": (8, 8, 1), "num_classes": 10}
# Arguments that a configurable's caller passes and gin cannot bind, by the name of the first.
ARGUMENTS = {
    "learning_rate": {"learning_rate": 0.1},
    "initial": SCHEDULED,
    "common": {"common": ORACLE, "trials": 1, "epochs": 9},
    "input_shape": IMAGES,
    "network": {"network": None, "batches": None},
}
BINDINGS = (
    *SMALL,
    "train.epochs = 1",
    "dataset.train_examples = 32",
    "dataset.test_examples = 10",
    "expressivity_table.sizes = (4,)",
    "minimum_norm.batch_size = 4",
    "minimum_norm.steps = 1",
)
OTHERS = {  # other bindings that a parameter needs
    "randomization.corruption": ("randomization.labels = 'partially_corrupted'",),
    "augmentation.padding": ("augmentation.random_crop = True",),
    "preprocessing.channel_mean": (
        "preprocessing.channel_std = (1,)",
        "preprocessing.normalization = 'channel'",
    ),
    "preprocessing.channel_std": (
        "preprocessing.channel_mean = (1,)",
        "preprocessing.normalization = 'channel'",
    ),
}


def kinds(hint):
    """Leaves of an annotation, such as int and None of `Sequence[int] | None`."""
    arguments = typing.get_args(hint)
    return {kind for argument in arguments for kind in kinds(argument)} if arguments else {hint}


def shaped(hint, value):
    """A value in the shape of an annotation: alone, in brackets, or as a bound of a range."""
    alternatives = typing.get_args(hint) if type(None) in typing.get_args(hint) else (hint,)
    origins = {typing.get_origin(kind) for kind in alternatives}
    if Mapping in origins:
        return {"train.learning_rate": (value, 1) if value < 1 else (1, value)}
    return (value,) if origins & {tuple, Sequence} else value


def parameters():
    """Name, annotation and configurable of every parameter of this package that gin can bind to a number."""
    for selector in gin_private.selectors():
        entry = gin_private.find(selector)
        if entry.wrapped.__module__ in MODULES:
            target = entry.wrapped if inspect.isclass(entry.wrapped) else inspect.unwrap(entry.wrapped)
            for parameter, hint in typing.get_type_hints(target).items():
                bindable = parameter not in ("return", *(entry.denylist or ()))
                if bindable and kinds(hint) & {int, float}:
                    yield f"{selector.rsplit('.', 1)[-1]}.{parameter}", hint, entry


PARAMETERS = {name: (hint, entry) for name, hint, entry in parameters()}


class RangesTest(parameterized.TestCase):
    def use(self, name: str, value: float) -> None:
        """Binds a parameter and calls its function, or constructs its class, as a command would."""
        hint, entry = PARAMETERS[name]
        bound = shaped(hint, value)
        # No gin file can write that a value is not a number, but a caller from Python can bind it.
        text = repr(shaped(hint, 0.5) if value != value else bound).replace("inf", "1e999")
        config.parse([], [*BINDINGS, *OTHERS.get(name, ()), f"{name} = {text}"])
        with gin.unlock_config():
            gin.bind_parameter(name, bound)
        arguments: dict[str, object] = {}
        for fixed in entry.denylist or ():
            arguments |= ARGUMENTS.get(fixed, {})
        if name.startswith("sweep."):
            arguments["groups"] = [Group("network")]
        if "workdir" in (entry.denylist or ()):
            arguments["workdir"] = Path(self.create_tempdir()) / "run"
        with contextlib.redirect_stdout(io.StringIO()):
            entry.wrapper(**arguments)

    @parameterized.named_parameters((name.replace(".", "_"), name) for name in PARAMETERS)
    def test_nonsense_is_refused_by_name(self, name):
        kind = float if float in kinds(PARAMETERS[name][0]) else int
        refused = [value for value in NONSENSE[kind] if value not in LEGITIMATE.get(name, ())]
        for value in refused:
            with self.subTest(f"{value!r:.12}"):
                with self.assertRaises(UserError) as caught:
                    self.use(name, value)
                self.assertIn(name.rpartition(".")[2], caught.exception.sentence)

    @parameterized.named_parameters(
        (name.replace(".", "_"), name)
        for name, values in LEGITIMATE.items()
        if 0 in values and not name.startswith(EXPERIMENTS)
    )
    def test_an_integer_0_is_accepted_where_it_makes_sense(self, name):
        self.use(name, 0)

    def test_an_accuracy_in_percent_is_refused(self):
        with self.assertRaisesRegex(UserError, "at most 1"):
            self.use("evaluation.fit_accuracy", 99.0)


if __name__ == "__main__":
    absltest.main()

"""The configuration of a run as one value: constructed once from gin, then passed down."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import gin

from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.models.family import Family
from rethink_keras.training import initializations, optimizers, schedules
from rethink_keras.training.callbacks import CALLBACKS
from rethink_keras.training.checkpoints import CheckpointOptions
from rethink_keras.training.distribution import devices
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.evaluators.confusion import ConfusionOptions
from rethink_keras.training.regularization import Regularization
from rethink_keras.validation import check_call, check_choice, check_int, check_number, check_seed


@gin.configurable("train")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What `train.*` binds.

    Attributes:
        model: Builder of the network, such as `@small_inception`.
        epochs: Number of epochs. 69 is the paper's (figure 1a's axis).
        batch_size: Examples of a step over all replicas; the short last batch is kept. 128 is the paper's.
        learning_rate: Initial learning rate.
        schedule: `@exponential`, `@steps`, `@cosine` or `@constant_rate`.
        optimizer: `@sgd`, `@adam`, `@rmsprop`, `@muon` or `@whitened_sgd`.
        initialization: `@whitened_first_kernel`, or None for the initializers of the network's layers.
        seed: Seed of everything random in the run; the randomization may have its own.
        strategy: 'multi_worker' trains on all hosts that TF_CONFIG names, and so does 'auto' if it names several;
            for the other values see `devices.choose`.
        precision: 'float32', 'mixed_float16' or 'mixed_bfloat16'.
        jit_compile: Compile the step with XLA; an error where that is not possible.
        steps_per_execution: Steps between two checks for signals, and between two updates of the progress bar;
            'auto' goes by the network's operations. It does not change results.
        deterministic: The same result to the bit on the same machine.
        tensorboard: Write scalars, images and hyperparameters for TensorBoard.
        wandb: Send the metrics to Weights & Biases, see `WandbRun`.
        callbacks: Names of further callbacks, see `callbacks.RunCallback`.

    Raises:
        UserError: A value is out of range or of another kind.
    """

    model: Family | None = None
    epochs: int = 69
    batch_size: int = 128
    learning_rate: float = 0.01
    schedule: schedules.ScheduleBuilder = schedules.exponential
    optimizer: optimizers.OptimizerBuilder = optimizers.sgd
    initialization: initializations.Initialization | None = None
    seed: int = 0
    strategy: str = "auto"
    precision: str = "float32"
    jit_compile: bool = False
    steps_per_execution: int | str = "auto"
    deterministic: bool = True
    tensorboard: bool = True
    wandb: bool = False
    callbacks: Sequence[str] = ()

    def __post_init__(self):
        check_int("train.epochs", self.epochs, 1, schedules.MOST_EPOCHS)
        check_int("train.batch_size", self.batch_size, 1)
        check_number("train.learning_rate", self.learning_rate, 1e-30, 1e30)
        check_seed("train.seed", self.seed)
        check_choice("train.strategy", self.strategy, devices.STRATEGIES)
        check_choice("train.precision", self.precision, devices.PRECISIONS)
        if self.steps_per_execution != "auto":
            check_int("train.steps_per_execution", self.steps_per_execution, 1)
        rate = {"initial": self.learning_rate, "steps_per_epoch": 1, "epochs": self.epochs}
        check_call("train.schedule", self.schedule, **rate)
        check_call("train.optimizer", self.optimizer, self.learning_rate)
        if self.initialization is not None:
            check_call("train.initialization", self.initialization, None, None)
        for name in self.callbacks:
            CALLBACKS.find("train.callbacks", name)
        if self.model is not None and not hasattr(self.model, "default_regularization"):
            raise UserError(
                f"train.model is {self.model!r}, which is no network. Take @mlp or @small_inception, for example."
            )

    @property
    def network(self) -> Family:
        """The configured network's builder.

        Raises:
            UserError: None is configured.
        """
        if self.model is None:
            raise UserError(
                "No network is configured. Name a gin file, or bind train.model = @mlp, for example."
            )
        return self.model


@gin.configurable("wandb")
@dataclasses.dataclass(frozen=True)
class WandbRun:
    """A run's place in Weights & Biases.

    Attributes:
        project: Project there.
        name: Name of the run there; None is the workdir's path.
        tags: Tags of the run there.
        group: Group of runs there, such as those of a sweep; None for no group.
        entity: User or team; None is the account that is logged in.
    """

    project: str = "rethink_keras"
    name: str | None = None
    tags: tuple[str, ...] | list[str] = ()
    group: str | None = None
    entity: str | None = None

    def __post_init__(self):
        for name in ("project", "name", "group", "entity"):
            if getattr(self, name) == "":
                raise UserError(f"wandb.{name} is empty. Give a word, or leave it out.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The whole gin configuration of a training run, each part constructed once.

    Attributes:
        train: Epochs, batches, network, optimizer, execution.
        splits: Data set, randomization (section 2.1) and preprocessing; nothing is read before it is used.
        augmentation: As requested; None parts get defaults, see `regularization.resolve`.
        regularization: As requested, likewise.
        evaluation: What is measured after an epoch.
        checkpoints: When they are saved and which are kept.
        confusion: When label confusion is measured.
        wandb: The run's place in Weights & Biases; None without it.
    """

    train: TrainConfig
    splits: Splits
    augmentation: Augmentation
    regularization: Regularization
    evaluation: Evaluation
    checkpoints: CheckpointOptions
    confusion: ConfusionOptions
    wandb: WandbRun | None

    @classmethod
    def from_gin(cls, data_dir: str | Path | None = None) -> RunConfig:
        """Constructs the configuration that gin has parsed.

        Args:
            data_dir: TFDS data folder; None leaves it to TFDS.

        Raises:
            UserError: A value is out of range.
        """
        train = TrainConfig()
        return cls(
            train=train,
            splits=Splits.from_gin(data_dir, train.seed),
            augmentation=Augmentation(),
            regularization=Regularization(),
            evaluation=Evaluation(),
            checkpoints=CheckpointOptions(),
            confusion=ConfusionOptions(),
            wandb=WandbRun() if train.wandb else None,
        )

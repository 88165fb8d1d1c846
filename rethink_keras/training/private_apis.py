"""What training needs of Keras and TensorFlow beyond their public interfaces, all in one place.

`check_version` is called where a run is built: a version of Keras in which one of these functions has another meaning
is refused there, before anything is trained.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework.config import is_op_determinism_enabled as is_op_determinism_enabled

from rethink_keras.errors import UserError

TESTED_KERAS = ("3.12.4", "3.15.1")


def check_version() -> None:
    """Raises UserError unless this version of Keras is one of those that the functions here were tested with."""
    if keras.__version__ not in TESTED_KERAS:
        raise UserError(
            f"Training was tested with Keras {' and '.join(TESTED_KERAS)}, and this is {keras.__version__}. "
            f"Install one of them: pip install keras=={TESTED_KERAS[-1]}."
        )


def variable_index(optimizer: keras.optimizers.Optimizer, variable: keras.Variable | tf.Variable) -> int:
    """Returns the position of a variable among those that a built optimizer updates."""
    return optimizer._get_variable_index(variable)


def adam_averages(
    optimizer: keras.optimizers.Adam, variable: keras.Variable | tf.Variable
) -> tuple[keras.Variable, keras.Variable]:
    """Returns Adam's moving averages of a variable's gradient and of its square."""
    index = variable_index(optimizer, variable)
    return optimizer._momentums[index], optimizer._velocities[index]


def build_metrics_and_loss(network: keras.Model, input_shape: tuple[int, int, int]) -> None:
    """Creates the variables of a compiled network's metrics and loss.

    Args:
        network: A classifier, compiled in the scope in which this is called.
        input_shape: Shape of one image, `[height, width, channels]`.
    """
    images, labels = keras.KerasTensor((None, *input_shape)), keras.KerasTensor((None,), "int64")
    network._symbolic_build(data_batch=(images, labels))


def configure_coordination_service(
    leader: str, jobs: Sequence[tuple[str, int]], *, start_seconds: int, lost_seconds: int
) -> None:
    """Configures the service by which TensorFlow's processes find each other, before TensorFlow computes anything.

    Args:
        leader: TensorFlow's name of the chief's task.
        jobs: Name and number of tasks of each job.
        start_seconds: How long processes wait for each other at the start.
        lost_seconds: Time without a sign of life after which a process counts as lost.

    Raises:
        RuntimeError: TensorFlow has computed something in this process already.
    """
    job = context.coordination_config_pb2.CoordinatedJob
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=leader,
        cluster_register_timeout_in_ms=1000 * start_seconds,
        heartbeat_timeout_in_ms=1000 * lost_seconds,
        shutdown_barrier_timeout_in_ms=1000 * lost_seconds,
        coordinated_jobs=[job(name=name, num_tasks=count) for name, count in jobs],
    )

"""XLA in the training step: compiled where it was asked for, or refused with the reason."""

import keras
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.data.batches import Batches
from rethink_keras.errors import UserError
from rethink_keras.training import feeds
from tests.training.small_runs import new_folder, run

JIT = "train.jit_compile = True"


class XlaTest(parameterized.TestCase):
    @parameterized.parameters(True, False)
    def test_compiles_the_step_for_data_in_memory(self, deterministic):
        more = ("train.epochs = 2", f"train.deterministic = {deterministic}")
        with new_folder() as folder:
            plain = run(folder / "plain", *more).history
            compiled = run(folder / "compiled", *more, JIT).history
        for one, other in zip(plain, compiled, strict=True):
            self.assertAlmostEqual(one["running_loss"], other["running_loss"], places=4)
            self.assertAlmostEqual(one["test_loss"], other["test_loss"], places=4)

    def test_what_xla_cannot_compile_is_refused_and_not_run_without_it(self):
        # Max pooling has no deterministic gradient in XLA.
        with new_folder() as folder, self.assertRaisesRegex(UserError, "XLA .* train.deterministic = False"):
            run(folder, "train.model = @small_alexnet", "train.epochs = 1", JIT)

    def test_is_refused_over_several_devices(self):
        network, batches = keras.Sequential(), absltest.mock.Mock(spec=Batches)
        strategy = absltest.mock.Mock(spec=tf.distribute.Strategy)
        with self.assertRaisesRegex(UserError, "train.jit_compile .* train.strategy"):
            feeds.choose(network, batches, 32, 1, strategy, jit_compile=True)

    def test_is_refused_where_keras_would_leave_it_out(self):
        tf.config.experimental.enable_op_determinism()
        network, streamed = keras.Sequential(), absltest.mock.Mock(spec=Batches)
        with self.assertRaisesRegex(UserError, "train.jit_compile .* train.deterministic"):
            feeds.choose(network, streamed, 32, 1, None, jit_compile=True)


if __name__ == "__main__":
    absltest.main()

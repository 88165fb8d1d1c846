import keras
from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.training.callbacks import CALLBACKS, RunCallback
from tests.training.made_run import made_run


class RunCallbackTest(absltest.TestCase):
    def test_knows_its_run(self):
        run = made_run(self.create_tempdir())
        self.assertIs(RunCallback(run).run, run)

    def test_a_plain_keras_callback_is_refused_when_it_is_registered(self):
        with self.assertRaisesRegex(TypeError, "RunCallback"):
            CALLBACKS.register("plain")(keras.callbacks.Callback)

    def test_an_unknown_name_is_refused(self):
        with self.assertRaisesRegex(UserError, "train.callbacks.*'nobody'"):
            made_run(self.create_tempdir(), "train.callbacks = ('nobody',)")


if __name__ == "__main__":
    absltest.main()

import signal

import gin
from absl.testing import absltest, parameterized

from rethink_keras import errors


@gin.configurable(module="errors_test")
def raising():
    raise errors.DataNotAvailableError("There are no data.")


class ExitCodesTest(parameterized.TestCase):
    @parameterized.parameters(
        (errors.UserError, 2),
        (errors.DataNotAvailableError, 3),
        (errors.DivergedError, 4),
        (errors.DiskError, 5),
        (errors.RunsDifferError, 6),
        (errors.RunsFailedError, 7),
        (errors.WorkerLostError, 8),
        (errors.OutOfMemoryError, 9),
    )
    def test_each_kind_has_its_own(self, kind, code):
        error = kind("A sentence.")
        self.assertIsInstance(error, errors.UserError)
        self.assertEqual((error.sentence, error.exit_code), ("A sentence.", code))

    def test_signals(self):
        self.assertEqual(errors.StoppedBySignalError("Stopped.", signal.SIGTERM).exit_code, 143)

    def test_gin_adds_to_the_message_and_not_to_the_sentence(self):
        with self.assertRaises(errors.UserError) as caught:
            raising()
        self.assertIn("raising", str(caught.exception))
        self.assertEqual(caught.exception.sentence, "There are no data.")
        self.assertEqual(caught.exception.exit_code, 3)


if __name__ == "__main__":
    absltest.main()

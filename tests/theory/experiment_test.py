import contextlib
import io
import json
import os
import signal
import time
from pathlib import Path

from absl.testing import absltest

from rethink_keras.errors import StoppedBySignalError
from rethink_keras.theory.experiment import experiment


class ExperimentTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir().full_path) / "run"
        self.out = self.enter_context(contextlib.redirect_stdout(io.StringIO()))

    def summary(self):
        return json.loads((self.folder / "summary.json").read_text())

    def test_a_run_that_is_done_is_claimed_with_its_summary(self):
        with experiment(self.folder, False) as run:
            self.assertIsNone(run.claim({"seed": 3}))
            self.assertEqual(self.summary()["status"], "running")
            run.write_rows([{"step": 1, "loss": 0.5, "list": [1]}])
            written = run.write("done", {"rows": [{"step": 1, "loss": 0.5}]})
        self.assertEqual((written["seed"], written["status"]), (3, "done"))
        self.assertEqual(written, self.summary())
        self.assertEqual((self.folder / "metrics.csv").read_text(), "step,loss\n1,0.5\n")
        with experiment(self.folder, False) as run:
            self.assertEqual(run.claim({"seed": 3}), written)

    def test_a_signal_leaves_the_computation(self):
        with self.assertRaises(StoppedBySignalError) as caught, experiment(self.folder, False) as run:
            run.claim({})
            os.kill(os.getpid(), signal.SIGTERM)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                run.check_stop()
            self.fail("the stop was not noticed")
        self.assertEqual(caught.exception.exit_code, 128 + signal.SIGTERM)
        self.assertEqual(self.summary()["status"], "interrupted")

    def test_a_stage_prints_its_name_and_time(self):
        with experiment(self.folder, False) as run:
            with run.stage("Work", 10, "unit"):
                pass
            with run.stage("Quiet work", 10, "unit", quiet=True):
                pass
        self.assertRegex(self.out.getvalue(), r"^Work: \d+\.\d s\n$")


if __name__ == "__main__":
    absltest.main()

from pathlib import Path

from absl.testing import absltest

from tests.training.small_runs import paused, run, timeless


class PauseTest(absltest.TestCase):
    def test_a_paused_run_goes_on_as_if_nothing_had_happened(self):
        folder = Path(self.create_tempdir())
        whole = run(folder / "whole")
        result, out = paused(folder / "paused", 1)
        self.assertEqual((result.summary["status"], result.summary["epochs"]), ("interrupted", 1))
        self.assertIn("Paused after epoch 1 and saved.", out)
        again, _ = paused(folder / "paused", 1)  # there is nothing to do
        self.assertEqual(again.summary["epochs"], 1)
        result, _ = paused(folder / "paused", 2)
        self.assertEqual(result.summary["epochs"], 2)
        result = run(folder / "paused")
        self.assertEqual(result.summary["status"], "done")
        self.assertEqual(timeless(result.history), timeless(whole.history))
        self.assertEqual(result.summary["fingerprints"], whole.summary["fingerprints"])

    def test_a_pause_after_the_last_epoch_is_none(self):
        folder = Path(self.create_tempdir())
        self.assertEqual(paused(folder, 7)[0].summary["status"], "done")


if __name__ == "__main__":
    absltest.main()

from pathlib import Path

from absl.testing import absltest

from rethink_keras.experiments.progress import Display
from rethink_keras.experiments.run_process import Outcome
from tests.experiments.sweeps.manifest_test import manifest, planned
from tests.training.small_runs import new_folder
from tests.workdir import made_runs


def write_run(workdir: Path, status: str, rows: int, seconds: float = 30.0) -> None:
    made_runs.write_run(workdir, status, [made_runs.row(k + 1, seconds=seconds) for k in range(rows)])


class ProgressTest(absltest.TestCase):
    def test_says_how_a_run_ended_and_what_is_left(self):
        runs = [planned(name=f"mlp/plain/seed_{k}", seed=k, epochs=10, images=1000) for k in range(4)]
        with new_folder() as folder:
            display = Display(manifest(*runs), folder)
            write_run(folder / runs[0].name, "done", 8)
            write_run(folder / runs[1].name, "running", 2)
            told = []
            display._bar.write = told.append
            display.ended(Outcome(runs[0].name, 0, "", 1))
            write_run(folder / runs[2].name, "running", 0)  # as a run that was killed leaves it
            display.ended(Outcome(runs[2].name, 3, "No data.", 2))
        # Runs end after 8 epochs, as the first did; six of one and eight of another are left, half a minute each.
        self.assertEqual(
            told,
            [
                "mlp/plain/seed_0: 240 s, 8 epochs, train 100.00%, test 10.00% "
                "[1 done, 1 running, 2 left, about 11 min to go]",
                "mlp/plain/seed_2: No data. (exit code 3, tried 2 times) "
                "[1 done, 1 running, 1 left, 1 failed, about 7 min to go]",
            ],
        )


if __name__ == "__main__":
    absltest.main()

from pathlib import Path

from absl.testing import absltest

from rethink_keras.experiments.job import TRAIN, Job


class JobTest(absltest.TestCase):
    def test_an_environment_adds_to_the_jobs_own(self):
        job = Job("a", Path("a"), (), environment={"A": "1", "B": "1"})
        self.assertEqual(job.in_environment({"B": "2"}).environment, {"A": "1", "B": "2"})
        self.assertEqual(job.environment, {"A": "1", "B": "1"})

    def test_the_program_is_there(self):
        self.assertTrue(Path(TRAIN[0]).is_file())


if __name__ == "__main__":
    absltest.main()

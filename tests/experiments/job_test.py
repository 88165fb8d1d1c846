from pathlib import Path

from absl.testing import absltest

from rethink_keras.experiments.job import TRAIN, Job
from rethink_keras.experiments.placement import Place


class JobTest(absltest.TestCase):
    def test_a_places_environment_adds_to_the_jobs_own(self):
        job = Job("a", Path("a"), (), environment={"A": "1", "B": "1"})
        placed = job.at(Place({"B": "2"}, shares_gpu=True))
        self.assertEqual((placed.environment, placed.shares_gpu), ({"A": "1", "B": "2"}, True))
        self.assertEqual((job.environment, job.shares_gpu), ({"A": "1", "B": "1"}, False))

    def test_the_program_is_there(self):
        self.assertTrue(Path(TRAIN[0]).is_file())


if __name__ == "__main__":
    absltest.main()

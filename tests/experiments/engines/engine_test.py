import contextlib
from pathlib import Path

from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.experiments.engines import ENGINES, Engine
from rethink_keras.experiments.job import Outcome
from rethink_keras.experiments.placement import Place
from tests.experiments.stub_runs import run_jobs, stub_job


class Recorder(Engine):
    def __init__(self):
        self.log = []

    @contextlib.contextmanager
    def connected(self):
        self.log.append("connected")
        yield
        self.log.append("ended")

    def places(self, threads, most, say):
        self.log.append((threads, most))
        return [Place({"PLACE": "1"})]

    def run(self, job, stopping, say):
        self.log.append((job.name, job.environment["PLACE"]))
        return Outcome(job.name, 0)


class EngineTest(absltest.TestCase):
    def test_a_new_engine_is_found_by_its_name(self):
        ENGINES.register("recorder_of_a_test")(Recorder)
        self.assertIs(ENGINES.find("sweep.engine", "recorder_of_a_test"), Recorder)

    def test_an_unknown_word_is_an_error_that_names_the_known_ones(self):
        with self.assertRaisesRegex(UserError, "(?s)sweep.engine.*'slurm'.*'local', 'ray'"):
            ENGINES.find("sweep.engine", "slurm")

    def test_an_engine_that_lacks_a_method_is_refused(self):
        class Half(Engine):
            def places(self, threads, most, say):
                return []

        with self.assertRaisesRegex(TypeError, "run"):
            ENGINES.register("half")(Half)
        with self.assertRaises(TypeError):
            ENGINES.register("function")(print)

    def test_order_of_calls(self):
        engine = Recorder()
        run_jobs([stub_job(Path(name)) for name in "ab"], engine)
        self.assertEqual(engine.log, ["connected", (1, 2), ("a", "1"), ("b", "1"), "ended"])


if __name__ == "__main__":
    absltest.main()

from types import SimpleNamespace

from absl.testing import absltest

from rethink_keras import config
from rethink_keras.training import data, start_lines
from rethink_keras.training.config import RunConfig
from tests.training.small_runs import SMALL


class StartLinesTest(absltest.TestCase):
    def configured(self, *bindings):
        config.parse([], [*SMALL, *bindings])
        self.addCleanup(config.clear)
        return RunConfig.from_gin()

    def test_texts_begin_in_one_column(self):
        lines = [start_lines.line("Data", "x"), start_lines.line("Regularization", "x")]
        self.assertEqual(*(line.index("x") for line in lines))

    def test_the_data_and_their_randomization(self):
        read, _ = data.read(self.configured("randomization.labels = 'random'"))
        line = start_lines.data_line(read)
        for part in (
            "Data:",
            "digits",
            "300 training",
            "100 test",
            "8 x 8 x 1",
            "10 classes",
            "random labels",
        ):
            self.assertIn(part, line)

    def test_the_network_and_its_parameters(self):
        line = start_lines.network_line({"model": "mlp", "trainable_parameters": 1234567})
        self.assertRegex(line, "^Network: +mlp, 1,234,567 ")

    def test_the_length_of_the_run(self):
        line = start_lines.length_line(
            self.configured("train.seed = 5"), SimpleNamespace(steps=lambda size: 10)
        )
        self.assertRegex(line, r"^Epochs: +3 of 10 steps \(batch size 32\), seed 5$")

    def test_what_makes_the_run_shorter_or_is_measured_less_often(self):
        configured = self.configured("evaluation.every_epochs = 2", "evaluation.stop_when = 'fit_loss'")
        line = start_lines.length_line(configured, SimpleNamespace(steps=lambda size: 10))
        self.assertIn("every 2", line)
        self.assertIn("train_loss reaches 0.05", line)


if __name__ == "__main__":
    absltest.main()

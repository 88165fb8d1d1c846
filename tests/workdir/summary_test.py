import json
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.errors import DamagedError
from rethink_keras.workdir.summary import is_training, read_summary
from tests.workdir import made_runs

MADE = made_runs.summary([made_runs.row(1)])


class SummaryTest(parameterized.TestCase):
    def read(self, content):
        path = Path(self.create_tempdir()) / "summary.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_summary(path)

    def test_fields_of_later_versions_are_kept(self):
        self.assertEqual(self.read({**MADE, "moons": [1]}), {**MADE, "moons": [1]})

    def test_texts_are_printable(self):
        self.assertEqual(self.read({**MADE, "device": "\x1b"})["device"], "\\x1b")

    def test_metrics_are_needed_once_an_epoch_is_measured(self):
        self.read(made_runs.summary([], "running"))
        with self.assertRaisesRegex(DamagedError, "lacks final"):
            self.read({**made_runs.summary([], "running"), "epochs": 1})

    @parameterized.parameters("status", "epochs", "device", "final", "fit_loss")
    def test_lacking(self, name):
        with self.assertRaisesRegex(DamagedError, f"summary.json lacks {name}"):
            self.read({key: value for key, value in MADE.items() if key != name})

    @parameterized.parameters(
        *("status", "epochs", "seed", "final", "versions", "best_on_the_way", "fingerprints", "fit_loss"),
        *("date", "explicit_regularization", "computed_by", "configuration", "rows"),
    )
    def test_a_field_of_another_kind(self, name):
        for value in ([name], {name: [name]}):
            with self.subTest(value), self.assertRaisesRegex(DamagedError, name):
                self.read({**MADE, name: value})

    @parameterized.parameters("[]", '"done"', "{")
    def test_no_summary(self, text):
        with self.assertRaisesRegex(DamagedError, "summary.json"):
            self.read(text)

    def test_done_without_an_epoch(self):
        with self.assertRaisesRegex(DamagedError, "without an epoch"):
            self.read(made_runs.summary([]))

    def test_an_experiment_without_training_needs_a_status(self):
        experiment = {"status": "done", "cpu_seconds": 1.0, "final": [1], "rows": [{"scale": 1}]}
        self.assertFalse(is_training(self.read(experiment)))
        with self.assertRaisesRegex(DamagedError, "status"):
            self.read({**experiment, "status": "ended"})
        self.assertTrue(is_training(MADE))


if __name__ == "__main__":
    absltest.main()

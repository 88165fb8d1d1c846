from absl.testing import absltest, parameterized

from rethink_keras.errors import DamagedError
from rethink_keras.workdir.metrics import first_epoch, format_metrics, parse_metrics
from tests.workdir.made_runs import row

HEADINGS = "epoch,step,train_loss,train_accuracy,test_loss,test_accuracy,running_accuracy"
CELLS = "0.5,1,0.5,1,1"


class MetricsTest(parameterized.TestCase):
    def test_rows_come_back_to_the_bit(self):
        rows = [
            row(1, 1 / 3, train_metrics="fixed_weights", weight_norm=0.1 + 0.2, note="a,b"),
            row(3, 2 / 3),
        ]
        self.assertEqual(parse_metrics(format_metrics(rows), ""), rows)

    def test_rows_of_an_earlier_version_have_empty_cells(self):
        later = row(2, batch_norm="momentum", moons=3, note=None)
        text = format_metrics([row(1), later])
        self.assertEndsWith(text.splitlines()[0], "seconds,batch_norm,running_accuracy,moons,note")
        self.assertEndsWith(text.splitlines()[1], ",1.0,,1.0,,")
        self.assertEqual(parse_metrics(text, ""), [row(1), row(2, batch_norm="momentum", moons=3)])

    def test_no_rows(self):
        self.assertEqual(format_metrics([]), f"{HEADINGS}\n")
        self.assertEqual(parse_metrics(format_metrics([]), ""), [])

    def test_rows_without_training_keep_their_order(self):
        self.assertEqual(format_metrics([{"scale": 1, "step": 2}]), "scale,step\n1,2\n")

    def test_order_of_columns_in_the_file_does_not_matter(self):
        text = f"moons,test_accuracy,epoch,step,train_loss,train_accuracy,test_loss,running_accuracy\n1,0,1{',1' * 5}\n"
        self.assertEqual(parse_metrics(text, "")[0]["test_accuracy"], 0.0)

    @parameterized.parameters(
        ("", "cut off"),
        (f"{HEADINGS}\n1,1,{CELLS}", "cut off"),
        (f"{HEADINGS}\n1,1\n", "line 2"),
        (f"{HEADINGS}\n1,1,{CELLS},7\n", "line 2"),
        (f"{HEADINGS}\n1,1,{CELLS}\n1,2,{CELLS}\n", "epoch in line 3 .*ascend"),
        (f"{HEADINGS}\n1,nan,{CELLS}\n", "step in line 2 .*count"),
        (f"{HEADINGS}\n1,,{CELLS}\n", "step in line 2 .*count"),
        (f"{HEADINGS}\n1,1,0.5,7,0.5,1,1\n", "train_accuracy in line 2 .*share"),
        ("epoch,step\n1,1\n", "no column running_accuracy"),
        (f'{HEADINGS}\n1,1,"{CELLS}\n', "line"),
        (f"{HEADINGS}\n1,{'9' * 200_000},{CELLS}\n", "line"),
        ("\0\n", "column|line"),
    )
    def test_damaged(self, text, words):
        with self.assertRaisesRegex(DamagedError, words):
            parse_metrics(text, "the file")

    def test_values_that_are_no_numbers_are_refused(self):
        with self.assertRaisesRegex(TypeError, "weights"):
            format_metrics([row(1, weights=[1, 2])])

    def test_first_epoch(self):
        rows = [row(2, 0.5), row(4, 1.0), row(6, 1.0)]
        self.assertEqual(first_epoch(rows, lambda row: row["train_loss"] <= 0.05), 4)
        self.assertIsNone(first_epoch(rows, lambda row: row["epoch"] > 6))


if __name__ == "__main__":
    absltest.main()

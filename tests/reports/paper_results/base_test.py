from absl.testing import absltest, parameterized

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.measures import NETWORK, TEST_ACCURACY, TRAIN_ACCURACY, Measure
from rethink_keras.reports.paper_results.base import PAPER_RESULTS, PaperResult
from rethink_keras.reports.paper_results.table1 import Table1


def changed(**attributes):
    """Table 1 with other attributes."""
    return type("Changed", (Table1,), attributes)


class PaperResultTest(parameterized.TestCase):
    def register(self, registered):
        PAPER_RESULTS.register(self.id())(registered)

    @parameterized.named_parameters(
        ("base_class", object, TypeError, "no subclass of PaperResult"),
        (
            "name",
            type("NoName", (PaperResult,), {}),
            TypeError,
            "does not define name, .*measures",
        ),
        ("dataset", changed(dataset="cifar100"), ValueError, "no data set 'cifar100'"),
        (
            "number_of_the_paper",
            changed(measures=(*Table1.measures, Measure("train_error", "train error (%)", lambda run: 0))),
            ValueError,
            "train_error.*in_paper=False",
        ),
        ("plot", changed(plotted="epochs"), ValueError, "plots epochs, .*override plots"),
        (
            "column",
            changed(measures=(TRAIN_ACCURACY,), plotted="train_accuracy"),
            ValueError,
            "no measure shows: test_accuracy",
        ),
    )
    def test_what_is_missing_is_an_error(self, registered, error, message):
        with self.assertRaisesRegex(error, message):
            self.register(registered)
        self.assertNotIn(self.id(), PAPER_RESULTS)

    def test_numbers_that_are_missing_are_an_error(self):
        with self.assertRaisesRegex(ValueError, "paper_tables.json has no entry 'table9'"):
            paper_numbers.of_table("table9")

    def test_all_of_the_papers_are_registered_in_order(self):
        figures = ("figure1a", "figure1b_1c", "figure2a", "figure2b")
        self.assertEqual([*PAPER_RESULTS][:8], ["table1", "table2", "table4", *figures, "own"])
        self.assertEqual(PAPER_RESULTS["table1"].labels[0], NETWORK)
        self.assertIn(TEST_ACCURACY, PAPER_RESULTS["table1"].measures)


if __name__ == "__main__":
    absltest.main()

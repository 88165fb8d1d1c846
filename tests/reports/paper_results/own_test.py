from absl.testing import absltest

from tests.reports import made_sweeps as made


class OwnSweepTest(made.FolderTestCase):
    def test_has_its_own_rows_and_no_column_of_the_paper(self):
        self.one_cell("own", "my_net", "wide+random_labels", (0.1, 0.2))
        table = self.table()
        [row] = table.rows
        self.assertEqual(row.labels, ("my net", "wide + random labels"))
        self.assertEqual({table.kinds(measure) for measure in table.measures}, {("ours",)})
        self.assertEqual(
            [value.text("ours") for value in row.values],
            ["99.90 ± 0.00", "15.00 ± 7.07", "15.00 ± 7.07", "not fitted by 2 of 2"],
        )
        self.assertEqual([plot.quantity for plot in self.plots()], ["test_accuracy"])


if __name__ == "__main__":
    absltest.main()

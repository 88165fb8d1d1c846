from absl.testing import absltest

from rethink_keras.reports import sections
from rethink_keras.reports.collect import collect
from tests.reports import made_sweeps as made


class SectionsTest(made.FolderTestCase):
    def sections(self):
        return sections.make(collect(self.folder))

    def test_full_sweeps_come_first_in_the_order_of_the_paper(self):
        for number, (name, size) in enumerate(
            (
                ("own", "full"),
                ("figure2b", "full"),
                ("table1", "small"),
                ("table1", "full"),
                ("table1", "full"),
            )
        ):
            made.sweep(self.folder / str(number), name, [made.plan("mlp_1x512", "plain")], size)
        found = self.sections()
        slugs = ["table1", "table1_2", "figure2b", "own", "table1_small"]
        self.assertEqual([section.slug for section in found], slugs)
        self.assertEqual([section.is_small for section in found], [False] * 4 + [True])
        self.assertEqual(found[3].heading, "own in full size")

    def test_an_unknown_result_is_reported_without_the_papers_numbers(self):
        self.one_cell("table77", "mlp_1x512", "plain", (0.5,))
        [section] = self.sections()
        self.assertEqual((section.slug, section.is_of_paper), ("own", False))
        [sentence] = sections.unknown_results(collect(self.folder))
        self.assertRegex(sentence, "sweep.paper_result is 'table77'.*'table1'")

    def test_known_results_are_no_trouble(self):
        made.all_kinds(self.folder)
        self.assertEqual(sections.unknown_results(collect(self.folder)), [])

    def test_configurations_that_differ_in_the_seed_are_shown_once(self):
        folder, plans = self.one_cell("own", "mlp", "plain", (0.1, 0.2, 0.3))
        config = folder / plans[2].name / "config.gin"
        config.write_text(config.read_text() + "train.learning_rate = 1\n")
        [row] = self.table().rows
        titles = [title for title, _ in sections.configurations(row.runs)]
        self.assertEqual(titles, ["seed 0; the same but for train.seed: seed 1", "seed 2"])

    def test_what_made_the_runs_is_counted(self):
        made.all_kinds(self.folder)
        made_by = dict(self.sections()[0].made_by())
        self.assertEqual(made_by["Machine"], "A made-up processor, 2 cores")
        self.assertIn("0.1.0+fedcba987654 (1 run)", made_by["Code"])


if __name__ == "__main__":
    absltest.main()

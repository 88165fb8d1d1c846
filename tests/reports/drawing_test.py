import xml.etree.ElementTree

from absl.testing import absltest

from rethink_keras.reports import drawing
from tests.reports import made_sweeps as made


class DrawingTest(made.FolderTestCase):
    def test_plots_contain_the_names_and_notes_of_what_they_show(self):
        made.all_kinds(self.folder)
        found = {}
        for name, (table, paper_result) in self.tables().items():
            for plot in paper_result.plots(table):
                png, svg = drawing.draw(plot)
                self.assertStartsWith(png, b"\x89PNG")
                found[name + plot.key] = " ".join(xml.etree.ElementTree.fromstring(svg).itertext())
        self.assertContainsSubset(found, ("table1", "figure1a", "figure1b_1c1b", "figure1b_1c1c"))
        for text in ("MLP 1×512", "none done", "random labels", "the paper ± 1.5 points"):
            self.assertIn(text, found["table1"])
        for text in ("Figure 1a", "thousand steps", "ours, one seed", "the paper"):
            self.assertIn(text, found["figure1a"])
        self.assertIn("the paper, at full size", found["figure1b_1c1b"])

    def test_dollar_signs_and_characters_without_glyphs_are_drawn(self):
        self.one_cell("own", "$x{1$", "\U0001f600", (0.5,))
        [plot] = self.plots()
        _, svg = drawing.draw(plot)
        self.assertIn("$x{1$", svg.decode())


if __name__ == "__main__":
    absltest.main()

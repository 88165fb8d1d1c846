import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
from absl.testing import absltest

from rethink_keras import plotting


def drawn():
    with plotting.style():
        figure = plotting.new_figure(2, 1)
        axes = figure.subplots()
        plotting.open_axes(axes)
        axes.plot([1, 2], [3, 4], color=plotting.colour(1))
        axes.set_title("$1")
        return plotting.png_and_svg(figure)


class PlottingTest(absltest.TestCase):
    def test_the_same_numbers_give_the_same_bytes(self):
        self.assertEqual(drawn(), drawn())
        self.assertIn(b"$1", drawn()[1])

    def test_the_style_ends_with_its_context(self):
        before = dict(matplotlib.rcParams)
        with plotting.style():
            self.assertEqual(matplotlib.rcParams["text.color"], plotting.INK)
        self.assertEqual(dict(matplotlib.rcParams), before)

    def test_the_style_decorates_a_function_that_is_called_twice(self):
        @plotting.style()
        def colour_of_text():
            return matplotlib.rcParams["text.color"]

        self.assertEqual([colour_of_text(), colour_of_text()], [plotting.INK] * 2)

    def test_colours_repeat(self):
        self.assertEqual(plotting.colour(len(plotting.COLOURS)), plotting.COLOURS[0])

    def test_pixels(self):
        pixels = plotting.to_rgb(plotting.new_figure(2, 1), 50)
        self.assertEqual((pixels.shape, pixels.dtype), ((50, 100, 3), np.uint8))
        self.assertEqual(pixels.min(), 255)

    def test_a_png_is_written(self):
        path = Path(self.create_tempdir().full_path) / "plot.png"
        plotting.save_png(plotting.new_figure(1, 1), path)
        self.assertEqual(matplotlib.image.imread(path).shape[:2], (130, 130))

    def test_importing_it_does_not_import_matplotlib(self):
        code = "import sys; import rethink_keras.plotting; print('matplotlib' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "False\n")


if __name__ == "__main__":
    absltest.main()

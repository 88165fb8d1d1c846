import numpy as np
from absl.testing import absltest

from rethink_keras.data import image_grid
from rethink_keras.data.randomization import Randomization
from tests.data.helpers import image_set, randomized_split

NAMES = tuple(f"class {k}" for k in range(10))


class ImageGridTest(absltest.TestCase):
    def test_an_image_and_its_label_in_each_cell(self):
        rows = np.arange(4)
        split = randomized_split(image_set(20), labels="partially_corrupted", corruption=0.5)
        original, corrupted = split.under(image_grid.TRUE).examples(rows), split.examples(rows)
        figure = image_grid.grid([("original", original), ("corrupted", corrupted)], NAMES, "Images")
        self.assertEqual(figure.get_suptitle(), "Images")
        cells = np.array(figure.axes, object).reshape(2, 4)
        self.assertEqual([line[0].get_ylabel() for line in cells], ["original", "corrupted"])
        for line, examples in zip(cells, (original, corrupted), strict=True):
            for cell, image, label, replaced in zip(
                line, examples.images, examples.labels, examples.corrupted, strict=True
            ):
                self.assertEqual(cell.get_title(), NAMES[label])
                self.assertEqual(cell.title.get_color(), "crimson" if replaced else "black")
                np.testing.assert_allclose(cell.images[0].get_array(), image / 255)
        self.assertTrue(corrupted.corrupted.any())
        self.assertFalse(original.corrupted.any())

    def test_true_options_undo_every_randomization(self):
        how = {"labels": "partially_corrupted", "corruption": 0.5, "pixels": "random", "fraction": 0.5}
        self.assertFalse(Randomization(**{**how, **image_grid.TRUE}).requested)


if __name__ == "__main__":
    absltest.main()

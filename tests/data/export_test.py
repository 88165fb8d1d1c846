from pathlib import Path
from unittest import mock

import matplotlib.image
import numpy as np
from absl.testing import absltest, parameterized
from matplotlib.figure import Figure

from rethink_keras.data import export as exporting
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from tests.data.helpers import MadeDataset, randomized_split


def made_splits(train=20, test=20, crop=6, **randomization):
    """Splits of made images in place of a data set's."""
    dataset = MadeDataset("digits", train=train, test=test)
    return Splits(dataset, Randomization(seed=0, **randomization), Preprocessing(crop=crop), seed=0)


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())


class ExportTest(TestCase):
    @parameterized.parameters(("true", np.uint8), ("random", np.uint8), ("gaussian", np.float32))
    def test_arrays(self, pixels, dtype):
        split = randomized_split(
            crop=6, pixels=pixels, labels="partially_corrupted", corruption=0.5, fraction=0.5
        )
        file = self.folder / "new" / "folder" / "export.npz"
        exporting.export(split, file)
        with np.load(file, allow_pickle=False) as arrays:
            got = dict(arrays)
        self.assertEqual(set(got), {"images", "labels", "original_labels", "ids", "corrupted", "class_names"})
        self.assertEqual(got["images"].dtype, dtype)
        self.assertEqual(got["images"].shape, (50, 6, 6, 3))
        for name, kind in (("labels", "i8"), ("original_labels", "i8"), ("ids", "i8"), ("corrupted", "?")):
            self.assertEqual((got[name].dtype, got[name].shape), (np.dtype(kind), (50,)))
        self.assertEqual(got["class_names"].tolist(), list(split.source.class_names))
        for name, array in split.examples()._asdict().items():
            np.testing.assert_array_equal(got[name], array)
        self.assertTrue(np.any(got["labels"] != got["original_labels"]))

    def test_the_same_twice_to_the_byte(self):
        files = [self.folder / f"{k}.npz" for k in range(2)]
        for file in files:
            exporting.export(randomized_split(labels="random", pixels="random"), file)
        self.assertEqual(files[0].read_bytes(), files[1].read_bytes())

    def test_file_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        (self.folder / "folder.npz").mkdir()
        for path in (self.folder / "file" / "a.npz", self.folder / "folder.npz"):
            with self.assertRaisesRegex(UserError, f"{path} cannot be written .*--output"):
                exporting.export(randomized_split(), path)

    @parameterized.parameters(OSError(28, "No space left on device"), KeyboardInterrupt())
    def test_a_failure_leaves_the_earlier_file(self, error):
        file = self.folder / "export.npz"
        exporting.export(randomized_split(), file)
        before = file.read_bytes()

        def half(target, **arrays):
            target.write(b"half")
            raise error

        fails = self.assertRaises(UserError if isinstance(error, OSError) else KeyboardInterrupt)
        with mock.patch.object(np, "savez_compressed", half), fails:
            exporting.export(randomized_split(labels="random"), file)
        self.assertEqual({p.name: p.read_bytes() for p in self.folder.iterdir()}, {"export.npz": before})

    def test_a_link_keeps_its_target(self):
        (self.folder / "disk").mkdir()
        link = self.folder / "export.npz"
        link.symlink_to(self.folder / "disk" / "export.npz")
        exporting.export(randomized_split(), link)
        self.assertTrue(link.is_symlink())
        self.assertTrue((self.folder / "disk" / "export.npz").is_file())


class PreviewTest(TestCase):
    def test_a_row_for_each_of_six_randomizations(self):
        file = self.folder / "new" / "preview.png"
        exporting.preview(made_splits(), "test", 3, file)
        height, width, channels = matplotlib.image.imread(file).shape
        self.assertEqual(channels, 4)
        self.assertBetween(height, 900, 1400)
        self.assertBetween(width, 500, 1000)
        wider = self.folder / "wider.png"
        exporting.preview(made_splits(), "train", 6, wider)
        self.assertGreater(matplotlib.image.imread(wider).shape[1], 1.4 * width)

    def test_shows_every_randomization_whatever_is_configured(self):
        splits = made_splits(labels="random", pixels="gaussian")
        seen = []
        examples = exporting.RandomizedSplit.examples

        def spy(split, rows):
            seen.append((split.randomization, examples(split, rows)))
            return seen[-1][1]

        with mock.patch.object(exporting.RandomizedSplit, "examples", spy):
            exporting.preview(splits, "train", 2, self.folder / "preview.png")
        kinds = [(how.labels, how.corruption, how.pixels) for how, _ in seen]
        self.assertEqual(
            kinds,
            [
                ("true", None, "true"),
                ("partially_corrupted", 0.5, "true"),
                ("random", None, "true"),
                ("true", None, "shuffled"),
                ("true", None, "random"),
                ("true", None, "gaussian"),
            ],
        )
        self.assertEqual({how.seed for how, _ in seen}, {0})
        for _, shown in seen:
            self.assertEqual(shown.ids.tolist(), [0, 1])

    def test_no_more_columns_than_examples(self):
        exporting.preview(made_splits(train=2), "train", 10, self.folder / "preview.png")
        self.assertBetween(matplotlib.image.imread(self.folder / "preview.png").shape[1], 300, 700)

    def test_reads_a_data_set_once(self):
        splits = made_splits()
        exporting.preview(splits, "test", 1, self.folder / "preview.png")
        self.assertCountEqual(splits.dataset.opened, ["train", "test"])

    def test_file_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        with self.assertRaisesRegex(UserError, "cannot be written .*--output"):
            exporting.preview(made_splits(), "train", 1, self.folder / "file" / "preview.png")

    def test_a_failure_leaves_the_earlier_file(self):
        file = self.folder / "preview.png"
        file.write_bytes(b"earlier")

        def fail_halfway(figure, target, **options):
            target.write(b"half")
            raise OSError(28, "No space left on device")

        with mock.patch.object(Figure, "savefig", fail_halfway), self.assertRaises(UserError):
            exporting.preview(made_splits(), "train", 1, file)
        self.assertEqual({p.name: p.read_bytes() for p in self.folder.iterdir()}, {"preview.png": b"earlier"})
        exporting.preview(made_splits(), "train", 1, file)
        self.assertStartsWith(file.read_bytes(), b"\x89PNG")


if __name__ == "__main__":
    absltest.main()

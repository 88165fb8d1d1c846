from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data import export
from rethink_keras.data.sources import Dataset
from rethink_keras.data.sources.arrays import Arrays
from rethink_keras.errors import DataNotAvailableError, UserError
from rethink_keras.system import machine
from tests.data.helpers import image_set, randomized_split


def arrays(count=12, shape=(4, 5, 3), classes=3):
    """Arrays of a file that is right."""
    made = image_set(count, shape)
    return {"images": made.images, "labels": np.arange(count) % classes}


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        self.files = {split: self.folder / f"{split}.npz" for split in ("train", "test")}
        for file in self.files.values():
            np.savez(file, **arrays())

    def write(self, split="train", **changes):
        """Writes a file with other arrays; None leaves one out."""
        content = {**arrays(), **changes}
        np.savez(self.files[split], **{n: a for n, a in content.items() if a is not None})

    def source(self):
        return Arrays("arrays", str(self.files["train"]), str(self.files["test"]))

    def open(self, split="train", count=None):
        return self.source().open(split, None, count)


class ArraysTest(TestCase):
    def test_images_and_labels_alone(self):
        train, test = self.open(), self.open("test")
        np.testing.assert_array_equal(train.images, arrays()["images"])
        self.assertEqual(train.labels.tolist(), [0, 1, 2] * 4)
        self.assertEqual(train.ids.tolist(), list(range(12)))
        self.assertEqual((train.labels.dtype, train.ids.dtype), ("i8", "i8"))
        self.assertEqual((train.class_names, train.name), (("0", "1", "2"), "arrays"))
        self.assertEqual((train.is_test, test.is_test), (False, True))
        self.assertFalse(train.corrupted.any())
        self.assertEqual(self.source().train_examples, 12)

    def test_grey_images_without_an_axis_of_channels(self):
        self.write(images=np.arange(12 * 20, dtype=np.uint8).reshape(12, 4, 5))
        self.assertEqual(self.open().images.shape, (12, 4, 5, 1))

    @parameterized.parameters(np.uint8, np.int32, np.uint64, ">i4")
    def test_labels_of_any_integer_dtype(self, dtype):
        self.write(labels=arrays()["labels"].astype(dtype))
        self.assertEqual(self.open().labels.dtype, np.int64)
        self.assertEqual(self.open().fingerprint, self.open("test").fingerprint)

    def test_examples_are_sorted_by_id(self):
        ids = np.array([7, 3, 5, 0, 1, 2, 4, 6, 8, 9, 10, 30])
        self.write(ids=ids)
        train = self.open(count=3)
        self.assertEqual(train.ids.tolist(), [0, 1, 2])
        np.testing.assert_array_equal(train.images, arrays()["images"][[3, 4, 5]])
        np.testing.assert_array_equal(train.labels, arrays()["labels"][[3, 4, 5]])

    def test_both_files_determine_the_classes(self):
        self.write("test", labels=np.full(12, 6))
        self.assertLen(self.open().class_names, 7)
        self.assertEqual(self.open().class_names, self.open("test").class_names)

    @parameterized.parameters("train", "test")
    def test_class_names_of_one_file_are_those_of_both(self, split):
        self.write(split, class_names=np.array(["cat", "dog", "$x^", "none"]))
        for opened in ("train", "test"):
            self.assertEqual(self.open(opened).class_names, ("cat", "dog", "$x^", "none"))

    def test_a_label_that_differs_from_the_original_one_is_corrupted(self):
        labels = arrays()["labels"]
        original, corrupted = labels.copy(), np.zeros(12, bool)
        original[0], corrupted[1] = 2, True
        self.write(original_labels=original, corrupted=corrupted)
        train = self.open()
        self.assertEqual(np.flatnonzero(train.corrupted).tolist(), [0, 1])
        np.testing.assert_array_equal(train.original_labels, original)
        np.testing.assert_array_equal(train.labels, labels)

    def test_what_export_writes_comes_back(self):
        split = randomized_split(image_set(30), crop=6, labels="random", pixels="random")
        export.export(split, self.files["train"])
        got, expected = self.open(), split.examples()
        for name in ("images", "labels", "original_labels", "ids", "corrupted"):
            np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), name)
        self.assertEqual(got.class_names, split.source.class_names)

    def test_a_changed_file_has_another_fingerprint(self):
        before = self.open().fingerprint
        self.assertEqual(self.open().fingerprint, before)
        self.write(labels=(arrays()["labels"] + 1) % 3)
        self.assertNotEqual(self.open().fingerprint, before)

    def test_bound_in_gin(self):
        self.addCleanup(config.clear)
        config.parse([], ["dataset.name = 'arrays'", *self.source().bindings])
        dataset = Dataset()
        config.clear()  # the files are those that were bound when the data set was constructed
        self.assertEqual(dataset.open("test").num_examples, 12)

    def test_bindings_are_absolute(self):
        with mock.patch.object(Path, "cwd", return_value=Path("/there")):
            bindings = Arrays("arrays", "a.npz", "/b's.npz").bindings
        self.assertEqual(bindings[0], "arrays.train = '/there/a.npz'")
        self.assertEqual(bindings[1], 'arrays.test = "/b\'s.npz"')


class RefusedTest(TestCase):
    def assert_refused(self, *words, error=UserError, split="train"):
        with self.assertRaises(error) as caught:
            self.open(split)
        sentence = caught.exception.sentence
        for word in words:
            self.assertIn(word, sentence)
        self.assertNotIn("\n", sentence)
        self.assertLess(len(sentence), 500)

    @parameterized.parameters({"train": None}, {"test": None}, {"train": ""})
    def test_a_file_that_is_not_named(self, **paths):
        with self.assertRaisesRegex(UserError, f"arrays.{next(iter(paths))} names no file"):
            Arrays("arrays", **{"train": "a.npz", "test": "b.npz", **paths})

    @parameterized.parameters(
        ("images", None, ["no array 'images'", "'labels'"]),
        ("labels", None, ["no array 'labels'"]),
        ("class_name", np.array(["a", "b"]), ["'class_name'", "Did you mean 'class_names'"]),
        ("images", np.zeros((12, 4, 5, 3), np.float32), ["float32", "uint8", "np.rint", "gaussian"]),
        ("images", np.zeros((12, 4, 5, 3), np.int64), ["int64", "uint8"]),
        ("images", np.zeros((12, 4, 5, 3), object), ["object", "uint8"]),
        ("images", np.zeros((12, 3, 8, 9), np.uint8), ["(12, 3, 8, 9)", "transpose(0, 2, 3, 1)"]),
        ("images", np.zeros((12, 4, 5, 4), np.uint8), ["(12, 4, 5, 4)", "1 or 3 channels"]),
        ("images", np.zeros((12, 784), np.uint8), ["(12, 784)", "[examples, height, width"]),
        ("images", np.zeros((0, 4, 5, 3), np.uint8), ["(0, 4, 5, 3)"]),
        ("images", np.uint8(3), ["shape ()"]),
        ("labels", np.zeros(11, int), ["labels", "(11,)", "[12]"]),
        ("labels", np.zeros((12, 1), int), ["(12, 1)", "labels.ravel()"]),
        ("labels", np.eye(12, dtype=int), ["(12, 12)", "argmax(axis=1)"]),
        ("labels", np.zeros(12), ["labels", "float64", "whole numbers"]),
        ("labels", np.zeros(12, bool), ["labels", "bool", "whole numbers"]),
        ("labels", np.array(["a"] * 12), ["labels", "<U1", "whole numbers"]),
        ("labels", np.array([{}] * 12), ["labels", "object"]),
        ("labels", np.arange(12) - 1, ["from -1 to 10"]),
        ("labels", np.arange(12) * 10**6, ["11000000", "100,000"]),
        ("labels", np.full(12, 2**64 - 1, np.uint64), [str(2**64 - 1)]),
        ("original_labels", np.arange(12) - 1, ["original_labels", "from -1 to 10"]),
        ("original_labels", np.zeros(3, int), ["original_labels", "(3,)"]),
        ("corrupted", np.zeros(12, int), ["corrupted", "int64", "truth values"]),
        ("ids", np.zeros(12, int), ["same id"]),
        ("ids", np.arange(12) - 1, ["ids", "from -1 to 10"]),
        ("ids", np.arange(12) * 10**9, ["ids", "from 0 to 11000000000"]),
        ("ids", np.arange(12.0), ["ids", "float64"]),
        ("class_names", np.array(["a", "b"]), ["from 0 to 2", "2 classes"]),
        ("class_names", np.array([["a", "b"]]), ["class_names", "(1, 2)"]),
        ("class_names", np.array(["a\nb", "c", "d"]), ["class_names", "printable"]),
        ("class_names", np.array(["a"]), ["class_names", "2 to"]),
        ("class_names", np.array([b"a", b"b", b"c"]), ["class_names", "text"]),
        ("class_names", np.array(["a", "b", None]), ["class_names", "object", "text"]),
    )
    def test_wrong_array(self, name, array, words):
        self.write(**{name: array})
        self.assert_refused(str(self.files["train"]), *words)

    def test_one_class(self):
        for split in ("train", "test"):
            self.write(split, labels=np.zeros(12, int))
        self.assert_refused("largest label", "is 0", "class_names")

    def test_other_class_names_in_the_other_file(self):
        self.write(class_names=np.array(["a", "b", "c"]))
        self.write("test", class_names=np.array(["a", "c", "b"]))
        for split in ("train", "test"):
            self.assert_refused("different class_names", split=split)

    def test_a_test_label_beyond_the_classes(self):
        self.write(class_names=np.array(["a", "b", "c"]))
        self.write("test", labels=np.arange(12) % 4)
        self.assert_refused(str(self.files["test"]), "from 0 to 3", "3 classes", split="test")

    def test_a_file_that_is_not_there(self):
        for split in ("train", "test"):
            with self.subTest(split):
                self.files[split].unlink()
                self.assert_refused(str(self.files[split]), "no file", error=DataNotAvailableError)
                self.write(split)

    @parameterized.parameters(b"", b"PK nothing", b"x" * 1000)
    def test_no_archive(self, content):
        self.files["train"].write_bytes(content)
        self.assert_refused("no whole .npz file", error=DataNotAvailableError)
        np.save(self.folder / "a.npy", np.arange(3))
        (self.folder / "a.npy").rename(self.files["train"])
        self.assert_refused("no whole .npz file", error=DataNotAvailableError)

    def test_a_damaged_archive(self):
        content = bytearray(self.files["train"].read_bytes())
        at = content.index(arrays()["images"].tobytes()[:20])
        content[at + 5] ^= 1
        self.files["train"].write_bytes(content)
        self.assert_refused("no whole .npz file", error=DataNotAvailableError)

    def test_any_damage_is_reported(self):
        rng = np.random.default_rng(0)
        whole = self.files["train"].read_bytes()
        # The headers of NumPy and zip, where damage has the most kinds of consequences.
        places = [k for k in range(len(whole)) if k < 300 or k > len(whole) - 300]
        for _ in range(150):
            content = bytearray(whole)
            for place in rng.choice(places, rng.integers(1, 4)):
                content[place] = rng.integers(256)
            self.files["train"].write_bytes(content)
            try:
                self.open()
                self.open("test")
                _ = self.source().train_examples
            except UserError as error:
                self.assertNotIn("\n", error.sentence)

    def test_more_examples_than_there_are(self):
        with self.assertRaisesRegex(UserError, "dataset.train_examples .*train.npz.* is 13.*from 1 to 12"):
            self.open(count=13)

    def test_images_larger_than_memory(self):
        with mock.patch.object(machine, "free_memory", return_value=700):
            self.assert_refused(str(self.files["train"]), "memory")


if __name__ == "__main__":
    absltest.main()

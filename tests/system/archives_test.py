import os
import zipfile
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import DamagedError, DiskError
from rethink_keras.system.archives import check_archive, read_arrays, read_heads


class ArchivesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = Path(self.create_tempdir()) / "arrays.npz"
        np.savez(self.path, a=np.arange(100.0), b=np.zeros((2, 3), np.int8))

    def test_arrays_come_back(self):
        arrays = read_arrays(self.path)
        np.testing.assert_array_equal(arrays["a"], np.arange(100.0))
        self.assertEqual((arrays["b"].shape, arrays["b"].dtype), ((2, 3), np.int8))
        check_archive(self.path)

    def test_heads_are_read_without_the_arrays(self):
        np.savez(self.path, a=np.arange(10_000.0), b=np.zeros((2, 3), np.int8))
        heads = read_heads(self.path)
        self.assertEqual(heads, {"a": ((10_000,), np.float64), "b": ((2, 3), np.int8)})
        whole = self.path.read_bytes()
        at = whole.index(np.arange(9_000.0, 9_010.0).tobytes())
        self.path.write_bytes(whole[:at] + b"x" + whole[at + 1 :])
        self.assertEqual(read_heads(self.path), heads)
        self.path.write_bytes(whole[: len(whole) // 2])
        with self.assertRaises(DamagedError):
            read_heads(self.path)

    def test_some_arrays_alone(self):
        self.assertEqual(list(read_arrays(self.path, ("b", "c"))), ["b"])
        whole = self.path.read_bytes()
        at = whole.index(np.arange(50.0).tobytes())
        self.path.write_bytes(whole[:at] + b"x" + whole[at + 1 :])
        self.assertEqual(list(read_arrays(self.path, ("b",))), ["b"])  # the other one is damaged
        with self.assertRaises(DamagedError):
            read_arrays(self.path, ("a",))

    @parameterized.parameters("truncated", "flipped", "empty", "noise")
    def test_damaged(self, damage):
        whole = self.path.read_bytes()
        at = whole.index(np.arange(50.0).tobytes())
        damages = {
            "truncated": whole[: len(whole) // 2],
            "flipped": whole[:at] + b"x" + whole[at + 1 :],
            "empty": b"",
            "noise": os.urandom(500),
        }
        self.path.write_bytes(damages[damage])
        for read in (read_arrays, check_archive):
            with self.subTest(read.__name__), self.assertRaises(DamagedError):
                read(self.path)

    def test_pickles_are_never_read(self):
        np.savez(self.path, a=np.array([{}], object))
        with self.assertRaises(DamagedError):
            read_arrays(self.path)

    def test_other_members_than_arrays(self):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr("notes.txt", "text")
        check_archive(self.path)
        for read in (read_arrays, read_heads):
            with self.assertRaises(DamagedError):
                read(self.path)

    def test_what_cannot_be_read_is_not_damaged(self):
        self.path.unlink()
        with self.assertRaises(FileNotFoundError):
            read_arrays(self.path)
        self.path.mkdir()
        with self.assertRaises(DiskError):
            read_arrays(self.path)


if __name__ == "__main__":
    absltest.main()

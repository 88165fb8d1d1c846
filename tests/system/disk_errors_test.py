import errno
import os
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.errors import DiskError
from rethink_keras.system.disk_errors import explain_disk_errors, unreadable, unwritable


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())


class DiskErrorsTest(TestCase):
    @parameterized.parameters((errno.ENOSPC, "Make room"), (errno.EDQUOT, "Make room"), (errno.EIO, "Repair"))
    def test_the_remedy_fits_the_fault(self, number, remedy):
        with self.assertRaisesRegex(DiskError, remedy), explain_disk_errors(self.folder):
            raise OSError(number, os.strerror(number))

    def test_a_reader_of_stdout_that_is_gone_is_no_disk(self):
        with self.assertRaises(BrokenPipeError), explain_disk_errors(self.folder):
            raise BrokenPipeError


class PathErrorsTest(TestCase):
    def test_a_file_that_cannot_be_read_keeps_its_content(self):
        error = unreadable(self.folder / "file", OSError(errno.EIO, "Input/output error"))
        self.assertEqual(error.exit_code, 5)
        for word in ("file", "Input/output error", "Nothing was changed"):
            self.assertIn(word, error.sentence)

    @parameterized.parameters((errno.ENOSPC, 5, "Make room"), (errno.EROFS, 2, "--workdir"))
    def test_a_folder_that_cannot_be_written(self, number, code, remedy):
        error = unwritable(self.folder, OSError(number, os.strerror(number)))
        self.assertEqual(error.exit_code, code)
        self.assertIn(remedy, error.sentence)


if __name__ == "__main__":
    absltest.main()

import errno
import os
import socket
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.system.files import (
    check_folder,
    make_folder,
    open_atomically,
    remove_partial_files,
    replacing,
    write_atomically,
)


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())


class ReplacingTest(TestCase):
    def test_whole_or_not_at_all(self):
        path = self.folder / "file.npz"
        path.write_bytes(b"old")
        with self.assertRaises(RuntimeError), open_atomically(path) as file:
            file.write(b"half")
            raise RuntimeError
        self.assertEqual([p.read_bytes() for p in self.folder.iterdir()], [b"old"])
        with replacing(path) as aside:
            aside.write_bytes(b"new")
            self.assertEqual(path.read_bytes(), b"old")
        self.assertEqual([p.read_bytes() for p in self.folder.iterdir()], [b"new"])

    def test_temporary_names_differ_between_hosts_containers_and_processes(self):
        """Containers that share a folder may have one host name, and all have a process 1."""
        with replacing(self.folder / "a.keras") as first, replacing(self.folder / "a.keras") as second:
            first.touch()
            second.touch()
            self.assertNotEqual(first, second)
            self.assertIn(f".{os.getpid()}.", first.name)
            self.assertIn(socket.gethostname()[:10], first.name)
            self.assertEqual(first.suffix, ".keras")

    @parameterized.parameters("x" * 255, "ä" * 127)
    def test_the_longest_name(self, name):
        with open_atomically(self.folder / name) as file:
            file.write(b"content")
        self.assertEqual((self.folder / name).read_bytes(), b"content")

    def test_a_file_system_that_cannot_sync_folders(self):
        real = os.fsync

        def fsync(descriptor):
            if Path(f"/proc/self/fd/{descriptor}").readlink().is_dir():
                raise OSError(errno.EINVAL, "Invalid argument")
            real(descriptor)

        with mock.patch.object(os, "fsync", fsync), open_atomically(self.folder / "file") as file:
            file.write(b"content")
        self.assertEqual((self.folder / "file").read_bytes(), b"content")


class PartialTest(TestCase):
    def test_only_temporary_files_are_removed(self):
        write_atomically(self.folder / "file", b"content")
        with replacing(self.folder / "other") as temporary:
            temporary.touch()
            remove_partial_files(self.folder)
            self.assertFalse(temporary.exists())
            temporary.touch()
        self.assertCountEqual([p.name for p in self.folder.iterdir()], ["file", "other"])


class FolderTest(TestCase):
    @parameterized.parameters("x" * 300, "a\0b", "a\udcffb", "file", "file/below")
    def test_a_path_that_can_be_no_folder(self, name):
        (self.folder / "file").touch()
        for check in (check_folder, make_folder):
            with self.assertRaises(UserError) as refused:
                check(self.folder / name)
            self.assertEqual(refused.exception.exit_code, 2)
            self.assertIn("--workdir", refused.exception.sentence)
            refused.exception.sentence.encode()

    def test_a_folder_below_one_that_is_not_there_yet(self):
        check_folder(self.folder / "a" / "b")
        with self.assertRaises(UserError):
            make_folder(self.folder / "a" / ("x" * 300))


if __name__ == "__main__":
    absltest.main()

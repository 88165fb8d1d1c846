import contextlib
import errno
import fcntl
import io
import os
import socket
import threading
from pathlib import Path
from unittest import mock

import psutil
from absl.testing import absltest, parameterized

from rethink_keras.errors import DiskError, UserError
from rethink_keras.experiments.orchestration import leading
from rethink_keras.system import files
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.files import make_folder, open_atomically, replacing
from rethink_keras.system.locks import held, held_in_turn
from rethink_keras.workdir.workdir import Workdir
from tests.training.small_runs import new_folder


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.enter_context(new_folder())


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


class DiskErrorsTest(TestCase):
    @parameterized.parameters(
        (errno.ENOSPC, "Make room"), (errno.EDQUOT, "Make room"), (errno.EIO, "Mend that")
    )
    def test_the_remedy_fits_the_fault(self, number, remedy):
        with self.assertRaisesRegex(DiskError, remedy), explain_disk_errors(self.folder):
            raise OSError(number, os.strerror(number))

    @parameterized.parameters("file", "file/below", "x" * 300)
    def test_a_path_that_is_no_folder_is_bad_usage(self, name):
        (self.folder / "file").touch()
        for make in (make_folder, lambda path: leading(path, "held").__enter__()):
            with self.assertRaisesRegex(UserError, "cannot be written") as caught:
                make(self.folder / name)
            self.assertEqual(caught.exception.exit_code, 2)
            self.assertNotIn("Make room", caught.exception.sentence)


class LockTest(TestCase):
    def hold(self):
        with held(self.folder, "It is held."), contextlib.redirect_stdout(io.StringIO()) as out:
            return out.getvalue()

    def test_one_holder(self):
        with held(self.folder, "It is held."), self.assertRaisesRegex(UserError, "It is held."):
            self.hold()
        self.hold()

    def test_of_many_starts_on_one_workdir_one_wins_and_the_others_are_told_why(self):
        barrier, told = threading.Barrier(8, timeout=60), []

        def start():
            barrier.wait()
            try:
                with Workdir(self.folder / "run").locked():
                    told.append("held")
                    barrier.wait()
            except UserError as error:
                told.append(error.sentence[:30])
                barrier.wait()

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(told), ["Another process is training in"] * 7 + ["held"])

    def test_the_lock_of_another_user(self):
        (self.folder / ".lock").touch()
        refused = PermissionError(errno.EACCES, "Permission denied")
        with (
            mock.patch.object(os, "open", side_effect=refused),
            self.assertRaisesRegex(UserError, "another user"),
        ):
            self.hold()

    @parameterized.parameters(errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
    def test_a_file_system_without_locks(self, number):
        missing = OSError(number, os.strerror(number))
        with (
            mock.patch.object(fcntl, "flock", side_effect=missing),
            self.assertRaisesRegex(UserError, "does not support locks"),
        ):
            self.hold()

    def test_a_file_system_that_grants_every_lock(self):
        with mock.patch.object(fcntl, "flock"), self.assertRaisesRegex(UserError, "does not support locks"):
            self.hold()

    @parameterized.parameters("rw,vers=3,local_lock=all", "rw,nolock", "rw,localflock")
    def test_locks_that_do_not_reach_other_hosts_are_noted(self, options):
        partition = type(psutil.disk_partitions(all=True)[0])
        mounts = [
            partition("server:/", str(self.folder.resolve()), "nfs", options),
            partition("/dev/sda", "/", "ext4", "rw"),
        ]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            with mock.patch.object(psutil, "disk_partitions", lambda all: mounts), held(self.folder, ""):
                pass
            self.assertIn(options.split(",")[-1], out.getvalue())
        self.assertEqual(self.hold(), "")

    def test_waiting_in_turn(self):
        path, order = self.folder / "a.lock", []

        def second():
            with held_in_turn(path, "Waiting."):
                order.append("second")

        with contextlib.redirect_stdout(io.StringIO()) as out:
            with held_in_turn(path, "Waiting."):
                thread = threading.Thread(target=second)
                thread.start()
                while "Waiting." not in out.getvalue():
                    thread.join(0.01)
                order.append("first")
            thread.join()
        self.assertEqual(order, ["first", "second"])


class FolderTest(parameterized.TestCase):
    @parameterized.parameters("x" * 300, "a\0b", "a\udcffb", "file", "file/below")
    def test_a_path_that_can_be_no_folder(self, name):
        with new_folder() as folder:
            (folder / "file").write_text("")
            for check in (files.check_folder, files.make_folder):
                with self.assertRaises(UserError) as refused:
                    check(folder / name)
                self.assertEqual(refused.exception.exit_code, 2)
                self.assertIn("--workdir", refused.exception.sentence)
                refused.exception.sentence.encode()

    def test_a_folder_below_one_that_is_not_there_yet(self):
        with new_folder() as folder:
            files.check_folder(folder / "a" / "b")
            with self.assertRaises(UserError):
                files.make_folder(folder / "a" / ("x" * 300))


if __name__ == "__main__":
    absltest.main()

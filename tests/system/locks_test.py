import contextlib
import errno
import fcntl
import io
import os
import threading
from pathlib import Path
from unittest import mock

import psutil
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.system.locks import held, held_in_turn
from rethink_keras.workdir.workdir import Workdir


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())


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


if __name__ == "__main__":
    absltest.main()

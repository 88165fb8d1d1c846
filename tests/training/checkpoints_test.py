import errno
import os
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.errors import DiskError, UserError
from rethink_keras.training.checkpoints import CheckpointOptions, Checkpoints, checkpoint_paths
from rethink_keras.training.state import RunState


class CheckpointsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        self.variables = [tf.Variable(np.arange(6.0).reshape(2, 3)), tf.Variable(7, dtype=tf.int64)]

    def save(self, epoch, step=0, **options):
        self.variables[1].assign(100 * epoch + step)
        Checkpoints(self.folder, self.variables, CheckpointOptions(**options)).save(
            RunState(epoch=epoch, step=step)
        )

    def restored(self):
        self.variables[1].assign(-1)
        state = Checkpoints(self.folder, self.variables).restore_newest()
        return state, int(self.variables[1])

    def test_state_and_variables_come_back(self):
        row = {"epoch": 1, "train_loss": 0.1 + 0.2}
        state = RunState(epoch=1, step=5, seconds=1.5, running={"loss": 1 / 3}, rows=[row])
        Checkpoints(self.folder, self.variables).save(state)
        self.variables[0].assign(tf.zeros((2, 3), tf.float64))
        self.assertEqual(Checkpoints(self.folder, self.variables).restore_newest(), state)
        np.testing.assert_array_equal(self.variables[0], np.arange(6.0).reshape(2, 3))

    def test_none(self):
        self.assertIsNone(self.restored()[0])

    def test_newest_by_epoch_then_step(self):
        for epoch, step in ((2, 0), (2, 150), (2, 90)):
            self.save(epoch, step, keep_last=9)
        state, value = self.restored()
        self.assertEqual((state.epoch, state.step, value), (2, 150, 350))

    @parameterized.parameters("truncated", "flipped", "empty", "noise")
    def test_damaged_one_is_reported_and_the_one_before_taken(self, damage):
        self.save(1)
        self.save(2)
        newest = max(self.folder.iterdir())
        whole = newest.read_bytes()
        middle = whole.index(np.arange(6.0).tobytes()) + 3
        newest.write_bytes(
            {
                "truncated": whole[: len(whole) // 2],
                "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
                "empty": b"",
                "noise": os.urandom(500),
            }[damage]
        )
        with self.assertLogs(level="WARNING") as logs:
            state, value = self.restored()
        self.assertEqual((state.epoch, value), (1, 100))
        self.assertIn("is damaged", logs.output[0])

    def test_all_damaged(self):
        self.save(1)
        max(self.folder.iterdir()).write_bytes(b"")
        with self.assertRaisesRegex(UserError, "Every checkpoint"), self.assertLogs(level="WARNING"):
            self.restored()
        with self.assertRaisesRegex(UserError, "Every checkpoint"):  # and so the next time
            self.restored()

    def test_a_damaged_one_is_not_among_the_last(self):
        self.save(1, keep_last=1)
        (self.folder / "epoch-00002-step-0000000.npz").write_bytes(b"")
        with self.assertLogs(level="WARNING"):
            self.restored()
        self.save(1, step=9, keep_last=1)
        self.assertEqual(self.restored()[0].step, 9)

    def test_of_another_model(self):
        self.save(1)
        with self.assertRaisesRegex(UserError, "of another network.*--workdir"):
            Checkpoints(self.folder, self.variables[::-1]).restore_newest()

    def test_pickles_are_never_read(self):
        self.save(1)
        np.savez(
            self.folder / "epoch-00002-step-0000000.npz", **{"00000": np.array([{}], object), "state": 1}
        )
        with self.assertLogs(level="WARNING"):
            self.assertEqual(self.restored()[0].epoch, 1)

    @parameterized.parameters(
        PermissionError(errno.EACCES, "Permission denied"),
        OSError(errno.ESTALE, "Stale file handle"),
        OSError(errno.EIO, "Input/output error"),
    )
    def test_what_cannot_be_read_is_not_damaged(self, error):
        self.save(1)
        self.save(2)
        names = sorted(p.name for p in self.folder.iterdir())
        real = Path.open

        def opened(path, *args, **kwargs):
            if path.name == names[-1]:
                raise error
            return real(path, *args, **kwargs)

        refused = self.assertRaisesRegex(DiskError, f"{names[-1]} cannot be read .{error.strerror}")
        with mock.patch.object(Path, "open", opened), refused:
            self.restored()
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), names)
        self.assertEqual(self.restored()[0].epoch, 2)

    def test_a_folder_or_a_circle_of_links_in_place_of_a_checkpoint(self):
        self.save(1)
        newest = self.folder / "epoch-00002-step-0000000.npz"
        for make in (newest.mkdir, lambda: newest.symlink_to(newest.name)):
            make()
            with self.assertRaisesRegex(DiskError, "cannot be read"):
                self.restored()
            newest.rmdir() if newest.is_dir() else newest.unlink()
        self.assertEqual(self.restored()[0].epoch, 1)

    @parameterized.parameters((np, "load"), (zipfile.ZipExtFile, "read"))
    def test_lack_of_memory_damages_nothing(self, owner, name):
        self.save(1)
        with (
            mock.patch.object(owner, name, side_effect=MemoryError),
            self.assertRaisesRegex(UserError, "memory"),
        ):
            self.restored()
        self.assertEqual(self.restored()[0].epoch, 1)

    def rewrite_state(self, epoch, content):
        path = self.folder / f"epoch-{epoch:05d}-step-0000000.npz"
        with np.load(path) as archive:
            arrays = dict(archive)
        np.savez(path, **{**arrays, "state": np.frombuffer(content.encode(), np.uint8)})

    @parameterized.parameters(
        *("{", "[]", "[" * 100_000, '{"epoch": "2"}', '{"rows": [3]}', '{"rows": [{}, 3]}'),
        '{"versions": [{"keras": 3}]}',
    )
    def test_a_state_that_none_of_ours_is_is_damaged(self, content):
        self.save(1)
        self.save(2)
        self.rewrite_state(2, content)
        with self.assertLogs(level="WARNING"):
            self.assertEqual(self.restored()[0].epoch, 1)

    def test_a_state_of_a_later_version_is_refused(self):
        self.save(1)
        self.save(2)
        self.rewrite_state(2, '{"epoch": 2, "moons": 1}')
        with self.assertRaisesRegex(UserError, "moons.*later"):
            self.restored()
        self.assertLen(list(self.folder.glob("*.npz")), 2)

    def test_epochs_and_steps_of_any_size(self):
        for epoch, step in ((99_999, 0), (99_999, 10_000_000), (100_000, 0), (100_000, 9_999_999)):
            self.save(epoch, step, keep_last=2, keep_every=100_000)
            self.assertEqual((self.restored()[0].epoch, self.restored()[0].step), (epoch, step))
        self.save(100_000, 10_000_000, keep_last=1, keep_every=100_000)
        state, value = self.restored()
        self.assertEqual((state.epoch, state.step, value), (100_000, 10_000_000, 20_000_000))
        kept = [path.name for path in checkpoint_paths(self.folder)]
        self.assertEqual(kept, ["epoch-100000-step-0000000.npz", "epoch-100000-step-10000000.npz"])

    def test_keeps_the_last_and_every_kth(self):
        for epoch in range(1, 8):
            self.save(epoch, keep_last=2, keep_every=3)
        kept = sorted(int(p.name[6:11]) for p in self.folder.iterdir())
        self.assertEqual(kept, [3, 6, 7])


if __name__ == "__main__":
    absltest.main()

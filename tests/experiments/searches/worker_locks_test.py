from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.experiments.searches.worker_locks import (
    WORKERS,
    is_alive,
    is_name,
    worker_lock,
    workers_alive,
)


class WorkerLocksTest(parameterized.TestCase):
    def test_a_worker_is_alive_while_it_holds_its_lock(self):
        folder = Path(self.create_tempdir())
        (folder / WORKERS).mkdir()
        with worker_lock(folder, "a"):
            self.assertTrue(is_alive(folder, "a"))
            self.assertEqual(workers_alive(folder), ["a"])
        self.assertFalse(is_alive(folder, "a"))
        self.assertEmpty(workers_alive(folder))

    @parameterized.parameters("../../evil", "x" * 65, "", ".", "..", "a/b", "a\0b", "a b", "\u00e9", "\n")
    def test_what_cannot_be_a_name_is_nobody(self, name):
        self.assertFalse(is_name(name))
        self.assertFalse(is_alive(Path(self.create_tempdir()), name))


if __name__ == "__main__":
    absltest.main()

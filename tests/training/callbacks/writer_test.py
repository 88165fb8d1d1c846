from absl.testing import absltest

from rethink_keras.training.callbacks.writer import Writer
from rethink_keras.training.state import RunState
from tests.training.made_run import ROW, made_run


class Kept(Writer):
    def open(self, rows):
        self.rows = list(rows)

    def write(self, row):
        self.rows.append(row)

    def close(self, summary):
        self.rows = None


class WriterTest(absltest.TestCase):
    def test_writes_evaluated_epochs(self):
        run = made_run(self.create_tempdir(), state=RunState(epoch=1, rows=[dict(ROW)]))
        writer = Kept(run, {}, None)
        writer.open([])
        writer.on_epoch_end(1)  # stopped in the middle
        self.assertEmpty(writer.rows)
        writer.on_epoch_end(0)
        self.assertEqual(writer.rows, [ROW])
        self.assertEmpty(writer.confusion_after(ROW))
        self.assertIsNone(writer.first_batch())

    def test_must_be_complete(self):
        class Half(Writer):
            def open(self, rows): ...

        with self.assertRaises(TypeError):
            Half(made_run(self.create_tempdir()), {}, None)


if __name__ == "__main__":
    absltest.main()

import json

from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.training.state import RunState

ROW = {"epoch": 3, "train_loss": 0.1 + 0.2}


class RunStateTest(absltest.TestCase):
    def test_an_epoch_without_a_row_keeps_its_seconds_for_the_next_row(self):
        state = RunState(seconds=3.0, step=7, running={"loss": 1.0})
        state.finish_epoch()
        state.finish_epoch()
        self.assertEqual((state.epoch, state.step, state.seconds, state.running), (2, 0, 3.0, None))
        self.assertIsNone(state.finished_row(1))
        state.row = ROW
        state.finish_epoch()
        self.assertEqual((state.epoch, state.seconds, state.rows, state.row), (3, 0.0, [ROW], None))
        self.assertEqual(state.finished_row(2), ROW)
        self.assertIsNone(state.finished_row(3))

    def test_is_read_back_to_the_bit_without_the_unfinished_row(self):
        state = RunState(
            epoch=3, step=1, rows=[ROW], identity="a", versions=[{"python": "3"}], row={"epoch": 4}
        )
        read = RunState.from_json(state.to_json())
        self.assertEqual(
            read, RunState(epoch=3, step=1, rows=[ROW], identity="a", versions=[{"python": "3"}])
        )

    def test_what_is_no_state_is_damaged(self):
        for text in ("", "[]", '{"epoch": "1"}', '{"rows": [1]}', "[" * 10_000):
            with self.assertRaises(ValueError):
                RunState.from_json(text)

    def test_a_later_version_is_named(self):
        with self.assertRaisesRegex(UserError, "momentum_of_later.*later version"):
            RunState.from_json(json.dumps({"epoch": 1, "momentum_of_later": 2}))

    def test_versions_are_recorded_once(self):
        state = RunState()
        for version in ("1", "2", "1"):
            state.add_versions({"rethink_keras": version})
        self.assertLen(state.versions, 2)


if __name__ == "__main__":
    absltest.main()

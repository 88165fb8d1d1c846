from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.training import trainer  # binds its names in gin
from tests.training.small_runs import new_folder

GIN = Path(__file__).parents[1] / "gin"


def parse_text(text: str) -> None:
    with new_folder() as folder:
        (folder / "file.gin").write_text(text)
        config.parse([folder / "file.gin"])


class ParseTest(parameterized.TestCase):
    def test_later_files_and_bindings_win(self):
        files = [GIN / "table1_mlp_1x512.gin", GIN / "with" / "random_labels.gin"]
        config.parse(files, ["train.epochs = 7"])
        self.assertEqual(config.bound("train.epochs", None), 7)
        self.assertEqual(config.bound("randomization.labels", None), "random")
        self.assertEqual(config.bound("mlp.hidden", None), "512")

    def test_nothing_stays_of_the_configuration_before(self):
        config.parse([], ["train.epochs = 7"])
        config.parse([], [])
        self.assertIsNone(config.bound("train.epochs", None))
        self.assertEqual(config.default(trainer.train, "epochs"), 69)

    @parameterized.parameters(
        ("train.epoch = 3", r"train has no parameter 'epoch' to bind. Did you mean 'epochs'\?"),
        ("trian.epochs = 3", r"there is no 'trian'. Did you mean 'train'\?"),
        ("train.model = @small_inceptoin", r"Did you mean 'small_inception'\?"),
        ("train.workdir = '/tmp'", "train has no parameter 'workdir'"),
        ("mlp.dropout = 0.5", "mlp has no parameter 'dropout'"),
        ("train.epochs = ", "not understood"),
        ("train.epochs 3", "not understood"),
        ("train.epochs = nonsense", "not understood"),
        ("CORRUPTOIN = 0.5", "CORRUPTOIN is set, but nothing refers to it"),
        ("train.epochs = %EPOCHS", "EPOCHS"),
    )
    def test_complaints(self, binding, message):
        with self.assertRaisesRegex(UserError, message) as caught:
            config.parse([], [binding])
        self.assertLen(caught.exception.sentence.splitlines(), 1)

    def test_missing_file_suggests_the_nearest(self):
        with self.assertRaisesRegex(UserError, "Did you mean .*table1_alexnet.gin"):
            config.parse([GIN / "table1_alexnt.gin"])

    def test_missing_include(self):
        with self.assertRaisesRegex(UserError, "nowhere.gin is not there"):
            parse_text("include 'nowhere.gin'")

    def test_file_that_includes_itself(self):
        with self.assertRaisesRegex(UserError, "includes itself"):
            parse_text("include 'file.gin'")

    def test_binary_and_huge_files(self):
        with new_folder() as folder:
            (folder / "binary.gin").write_bytes(bytes(range(256)) * 8)
            with self.assertRaises(UserError):
                config.parse([folder / "binary.gin"])
            (folder / "huge.gin").write_bytes(b"#" * 2_000_000)
            with self.assertRaisesRegex(UserError, "no gin file"):
                config.parse([folder / "huge.gin"])


if __name__ == "__main__":
    absltest.main()

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.config.messages import explained, suggestion
from rethink_keras.errors import UserError
from rethink_keras.training.config import TrainConfig  # noqa: F401  (binds its names in gin)


class MessagesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("train.epoch = 3", r"train has no parameter 'epoch' to bind. Did you mean 'epochs'\?"),
        ("trian.epochs = 3", r"there is no 'trian'. Did you mean 'train'\?"),
        ("train.model = @small_inceptoin", r"Did you mean 'small_inception'\?"),
        ("train.workdir = '/tmp'", "train has no parameter 'workdir'"),
        ("mlp.dropout = 0.5", "mlp has no parameter 'dropout' to bind. Bind regularization.dropout"),
        ("sgd.model = @mlp", r"sgd has no parameter 'model' to bind. Bind train.model"),
        ("train.schedule = @exponential.factor", "exponential.factor is a parameter, not a function"),
        ("train.schedule = @exponential.rate", "exponential has no parameter 'rate'"),
        (
            "weight_decay = 0.1",
            "weight_decay is set, but nothing refers to it. Bind regularization.weight_decay",
        ),
        ("train.epochs = ", "not understood"),
        ("train.epochs 3", "not understood"),
        ("train.epochs = nonsense", "not understood"),
        ("CORRUPTOIN = 0.5", "CORRUPTOIN is set, but nothing refers to it"),
        ("train.epochs = %EPOCHS", "EPOCHS"),
    )
    def test_sentences(self, binding, message):
        with self.assertRaisesRegex(UserError, message) as caught:
            config.parse([], [binding])
        self.assertLen(caught.exception.sentence.splitlines(), 1)

    @parameterized.parameters(
        (RecursionError(), "nested"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "why"), "text file"),
        (SyntaxError("why", ("f", 7, 1, "")), "line 7"),
        (ValueError("The value is odd.\n  In file f"), "The value is odd."),
        (KeyError(), "KeyError"),
    )
    def test_any_error_of_the_parser_is_one_line_that_names_the_place(self, error, word):
        with self.assertRaises(UserError) as caught, explained("file.gin"):
            raise error
        self.assertStartsWith(caught.exception.sentence, "file.gin")
        self.assertIn(word, caught.exception.sentence)
        self.assertLen(caught.exception.sentence.splitlines(), 1)

    def test_an_error_in_plain_words_stays(self):
        with self.assertRaises(UserError) as caught, explained("file.gin"):
            raise UserError("Wrong.", 3)
        self.assertEqual((caught.exception.sentence, caught.exception.exit_code), ("Wrong.", 3))


class SuggestionTest(absltest.TestCase):
    def test_the_nearest_or_all(self):
        self.assertIn("'epochs'", suggestion("epoch", ["epochs", "seed"]))
        self.assertNotIn("'seed'", suggestion("epoch", ["epochs", "seed"]))
        self.assertIn("epochs, seed", suggestion("workdir", ["seed", "epochs"]))


if __name__ == "__main__":
    absltest.main()

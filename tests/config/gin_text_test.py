from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.config import gin_text
from rethink_keras.errors import UserError
from rethink_keras.training.config import TrainConfig  # noqa: F401  (binds its names in gin)


class ValuesTest(parameterized.TestCase):
    def parse_text(self, text):
        file = self.create_tempfile(content=text)
        config.parse([file.full_path])

    @parameterized.parameters("[", "(", "{1: ")
    def test_brackets(self, bracket):
        closing = {"[": "]", "(": ")", "{1: ": "}"}[bracket]
        for depth in (60, 500, 100_000):
            text = f"train.epochs = {bracket * depth}1{closing * depth}"
            for parse in (self.parse_text, lambda binding: config.parse([], [binding])):
                if depth == 60 and bracket == "(":
                    continue  # these mean nothing to Python
                with self.assertRaisesRegex(UserError, "nested too deeply"):
                    parse(text)

    @parameterized.parameters(
        "9" * 400, f"-{'9' * 400}", f"0x{'f' * 5_000}", "{'a': (1, [" + "9" * 400 + "])}"
    )
    def test_numbers_of_hundreds_of_digits(self, text):
        with self.assertRaisesRegex(UserError, "number .* too large"):
            config.parse([], [f"train.seed = {text}"])

    def test_half_a_character(self):
        with self.assertRaisesRegex(UserError, "character"):
            config.parse([], [r"train.strategy = '\ud800'"])


class ReaderTest(absltest.TestCase):
    def test_gives_the_text_and_its_name(self):
        file = self.create_tempfile(content="train.epochs = 7")
        with gin_text.Reader(allow_imports=False).open(file.full_path) as opened:
            self.assertEqual(opened.read(), "train.epochs = 7")
            self.assertEqual(opened.name, file.full_path)

    def test_counts_bytes(self):
        file = self.create_tempfile(content="#" * (gin_text.MOST_BYTES + 1))
        with self.assertRaisesRegex(UserError, Path(file.full_path).name):
            gin_text.Reader(allow_imports=False).open(file.full_path).__enter__()


class ImportsTest(parameterized.TestCase):
    @parameterized.parameters("import os", "from os import path", "from __gin__ import dynamic_registration")
    def test_foreign_modules_need_the_flag(self, text):
        with self.assertRaisesRegex(UserError, "here.*--allow_imports"):
            gin_text.check(text, "here", allow_imports=False)
        gin_text.check(text, "here", allow_imports=True)

    def test_own_modules_do_not(self):
        gin_text.check("import rethink_keras.training.train", "here", allow_imports=False)
        with self.assertRaises(UserError):
            gin_text.check("import rethink_keras_other", "here", allow_imports=False)


if __name__ == "__main__":
    absltest.main()

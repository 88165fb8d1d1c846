from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.errors import DamagedError
from rethink_keras.workdir.json_files import MOST_DEPTH, printable_json, read_json


class JsonFilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = Path(self.create_tempdir()) / "file.json"

    def test_value(self):
        self.path.write_text('{"a": [1, 0.1, "\\u001b", null]}')
        self.assertEqual(read_json(self.path), {"a": [1, 0.1, "\x1b", None]})

    @parameterized.parameters(
        ("{", "no JSON"),
        ("9" * 5_000, "no JSON"),
        ("[" * 100_000, "deeply"),
        ("[" * (MOST_DEPTH + 2) + "]" * (MOST_DEPTH + 2), "deeply"),
        ('{"a": [NaN]}', "not finite"),
        ('{"a": Infinity}', "not finite"),
        ("1" + "0" * 400, "too large"),
    )
    def test_damaged(self, text, words):
        self.path.write_text(text)
        with self.assertRaisesRegex(DamagedError, f"file.json .*{words}"):
            read_json(self.path)

    def test_printable(self):
        self.assertEqual(printable_json({"\x1b": ["\ud800", 1]}), {"\\x1b": ["\\ud800", 1]})


if __name__ == "__main__":
    absltest.main()

import os
from pathlib import Path

from absl.testing import absltest

from rethink_keras.errors import DamagedError
from rethink_keras.workdir.text_files import MOST_BYTES, find, read_lines, read_text


class TextFilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        self.path = self.folder / "file"

    def test_content_is_returned_as_it_is(self):
        self.path.write_bytes("é\r\n".encode())
        self.assertEqual(read_text(self.path), "é\r\n")

    def test_control_characters_become_escapes(self):
        self.path.write_text("a\tb\x1b[31m\n\u202ec\n")
        self.assertEqual(read_lines(self.path), "a\tb\\x1b[31m\n\\u202ec")

    def test_no_file(self):
        with self.assertRaises(FileNotFoundError):
            read_text(self.path)

    def test_pipe_folder_and_device_are_no_files(self):
        os.mkfifo(self.folder / "pipe")
        for path in (self.folder / "pipe", self.folder, Path("/dev/zero"), Path("a\0b")):
            with self.subTest(str(path)), self.assertRaisesRegex(DamagedError, "is no file"):
                read_text(path)

    def test_a_circle_of_links_cannot_be_read(self):
        self.path.symlink_to(self.path)
        with self.assertRaises(OSError):
            read_text(self.path)

    def test_too_long(self):
        with self.path.open("wb") as file:
            file.truncate(MOST_BYTES + 1)
        with self.assertRaisesRegex(DamagedError, "bytes"):
            read_text(self.path)

    def test_not_utf_8(self):
        self.path.write_bytes(b"\xff\xfe")
        with self.assertRaisesRegex(DamagedError, "no text"):
            read_text(self.path)

    def test_find_does_not_enter_links(self):
        for name in ("b", "a/c"):
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / "file").write_text("")
        (self.folder / "a" / "back").symlink_to(self.folder)
        self.assertEqual(
            list(find(self.folder, "file")), [self.folder / "a" / "c" / "file", self.folder / "b" / "file"]
        )
        self.assertEqual(list(find(self.folder / "none", "file")), [])


if __name__ == "__main__":
    absltest.main()

import contextlib
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.config.gin_files import find_gin_file, first_line, package_names
from rethink_keras.errors import UserError

GIN = Path(__file__).resolve().parents[2] / "gin"


class FindGinFileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir()).resolve()
        self.enter_context(contextlib.chdir(self.folder))

    def message(self, name, **options):
        with self.assertRaises(UserError) as caught:
            find_gin_file(name, **options)
        self.assertLen(caught.exception.sentence.splitlines(), 1)
        return caught.exception.sentence

    @parameterized.parameters("quickstart.gin", "with/random_labels.gin", "sweeps/small/table1.gin")
    def test_names_in_the_package_with_and_without_the_folder(self, name):
        for named in (name, f"gin/{name}", Path(name), GIN / name):
            self.assertEqual(find_gin_file(named), GIN / name)

    def test_a_path_comes_before_a_name(self):
        (self.folder / "quickstart.gin").write_text("")
        self.assertEqual(find_gin_file("quickstart.gin"), self.folder / "quickstart.gin")

    def test_folders_in_their_order_and_not_the_present_one(self):
        (self.folder / "here.gin").write_text("")
        for name in ("one", "two"):
            (self.folder / name).mkdir()
            (self.folder / name / "a.gin").write_text("")
        folders = [self.folder / "two", self.folder / "one"]
        self.assertEqual(find_gin_file("a.gin", folders), self.folder / "two" / "a.gin")
        self.message("here.gin", folders=folders)

    @parameterized.parameters(
        ("quikstart.gin", "'quickstart.gin'"),
        ("quickstart", "'quickstart.gin'"),
        ("random_labels.gin", "'with/random_labels.gin'"),
        ("table1.gin", "'sweeps/table1.gin' or 'sweeps/small/table1.gin'"),
        ("/nowhere/quickstart.gin", "'quickstart.gin'"),
    )
    def test_suggests_the_nearest_names(self, name, suggested):
        self.assertIn(suggested, self.message(name))

    def test_suggests_files_beside_the_missing_one(self):
        (self.folder / "sub").mkdir()
        (self.folder / "sub" / "my_sweep.gin").write_text("")
        self.assertIn("'sub/my_sweep.gin'", self.message("sub/my_swep.gin"))

    def test_says_where_it_looked_and_who_named_it(self):
        message = self.message("zzzzz.gin", folders=[self.folder / "one"], named_by="the sweep")
        for part in (str(self.folder / "one"), str(GIN), "the sweep", "configs"):
            self.assertIn(part, message)
        self.assertIn("the present folder", self.message("zzzzz.gin"))

    @parameterized.parameters("x" * 5000, "a\0b", "", "with", "..")
    def test_what_is_no_file(self, name):
        self.message(name)


class PackageNamesTest(absltest.TestCase):
    def test_all_gin_files_are_listed_with_their_first_lines(self):
        names = package_names()
        self.assertCountEqual([GIN / name for name in names], GIN.rglob("*.gin"))
        self.assertStartsWith(first_line("quickstart.gin"), "First run: ")
        for name in names:
            self.assertGreater(len(first_line(name)), 20, name)


if __name__ == "__main__":
    absltest.main()

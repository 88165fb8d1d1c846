from absl.testing import absltest

from rethink_keras.commands import expressivity
from tests.commands.in_process import main


class ExpressivityCommandTest(absltest.TestCase):
    def test_help_has_an_example_and_the_name_of_the_seed(self):
        code, out, _ = main(expressivity, "--help")
        self.assertEqual(code, 0)
        self.assertIn("bin/expressivity --gin_file=gin/section", out)
        self.assertIn("expressivity_table.seed", out)

    def test_the_seed_is_part_of_the_configuration(self):
        code, out, err = main(expressivity, "--print_config", "--seed=4")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("expressivity_table.seed = 4", out)


if __name__ == "__main__":
    absltest.main()

from absl.testing import absltest

from rethink_keras.commands import minimum_norm
from tests.commands.in_process import main


class MinimumNormCommandTest(absltest.TestCase):
    def test_help_has_an_example_and_the_name_of_the_seed(self):
        code, out, _ = main(minimum_norm, "--help")
        self.assertEqual(code, 0)
        self.assertIn("bin/minimum_norm --gin_file=gin/section", out)
        self.assertIn("minimum_norm.seed", out)

    def test_the_seed_is_part_of_the_configuration(self):
        code, out, err = main(minimum_norm, "--print_config", "--seed=4")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("minimum_norm.seed = 4", out)


if __name__ == "__main__":
    absltest.main()

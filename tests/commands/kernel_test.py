from absl.testing import absltest

from rethink_keras.commands import kernel
from tests.commands.in_process import main


class KernelCommandTest(absltest.TestCase):
    def test_help_has_an_example_and_the_name_of_the_seed(self):
        code, out, _ = main(kernel, "--help")
        self.assertEqual(code, 0)
        self.assertIn("bin/kernel --gin_file=gin/section", out)
        self.assertIn("interpolation.seed", out)

    def test_the_seed_is_part_of_the_configuration(self):
        code, out, err = main(kernel, "--print_config", "--seed=4")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("interpolation.seed = 4", out)


if __name__ == "__main__":
    absltest.main()

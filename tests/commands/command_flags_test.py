from pathlib import Path

from absl import flags
from absl.testing import absltest, parameterized

from rethink_keras.commands import command_flags


def parsed(values: flags.FlagValues, *arguments: str) -> flags.FlagValues:
    values(["command", *arguments])
    return values


class FlagsTest(parameterized.TestCase):
    def test_the_seed_is_bound_last_and_by_the_name_of_the_experiment(self):
        values = parsed(command_flags.experiment_flags("minimum_norm"), "--gin_param=a.b = 1", "--seed=3")
        self.assertEqual(command_flags.bindings(values, "minimum_norm"), ["a.b = 1", "minimum_norm.seed = 3"])
        self.assertIn("minimum_norm.seed", command_flags.flag_help(values))
        self.assertEqual(command_flags.bindings(parsed(command_flags.configuration_flags())), [])

    def test_files_and_bindings_keep_their_order(self):
        values = parsed(command_flags.configuration_flags(), "--gin_file=b", "--gin_file=a")
        self.assertEqual(values.gin_file, ["b", "a"])

    @parameterized.parameters(
        ((), "runs/sweeps/own"),
        (("--gin_file=gin/a.gin", "--gin_file=b.gin"), "runs/sweeps/a+b"),
        (("--gin_file=gin/a.gin", "--workdir=there"), "there"),
    )
    def test_folder_of_a_sweep(self, arguments, folder):
        values = parsed(command_flags.collection_flags("sweep", "sweeps", "List."), *arguments)
        self.assertEqual(command_flags.collection_folder(values, "sweeps"), Path(folder))
        self.assertNotIn("seed", values)

    def test_help_has_a_line_for_each_flag(self):
        values = command_flags.experiment_flags("train")
        lines = command_flags.flag_help(values).splitlines()
        for name in ("--gin_file=...", "--workdir=...", "--overwrite ", "--debug ", "--help "):
            self.assertLen([line for line in lines if name in f"{line} "], 1, name)
        for line in lines:
            self.assertStartsWith(line, "  --")


if __name__ == "__main__":
    absltest.main()

"""Thousands of random configurations: each ends with a sentence and a documented exit code, none with a traceback."""

import tempfile
from pathlib import Path
from unittest import mock

import hypothesis
import keras
from absl.testing import absltest
from hypothesis import strategies as st

from rethink_keras.commands import train
from tests.commands.in_process import main
from tests.fuzz.outcome import check
from tests.training.small_runs import SMALL

GIN = sorted((Path(__file__).resolve().parents[2] / "gin").rglob("*.gin"))
WORDS = [line for path in GIN for line in path.read_text().splitlines() if line and not line.startswith("#")]

NAMES = st.sampled_from(
    [line.split("=")[0].strip() for line in WORDS if "=" in line]
    + [
        "train.seed", "train.strategy", "train.precision", "train.jit_compile", "train.steps_per_execution",
        "dataset.train_examples", "dataset.test_examples", "dataset.name", "randomization.fraction",
        "randomization.permute", "randomization.seed", "randomization.randomize_test_labels",
        "evaluation.train_metrics", "evaluation.batch_size", "evaluation.stop_when", "evaluation.fit_loss",
        "evaluation.fit_accuracy", "checkpoints.every_epochs", "checkpoints.every_minutes", "checkpoints.keep_last",
        "checkpoints.keep_every", "sgd.nesterov", "adam.beta_1", "cosine.final", "steps.factor", "mlp.bias",
        "preprocessing.normalization", "augmentation.padding", "train.tensorboard", "train.deterministic",
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        [
            "@mlp",
            "@sgd",
            "@adam",
            "@steps",
            "@cosine",
            "@nothing",
            "%NOTHING",
            "@mlp()",
            "None",
            "True",
            "False",
            "'auto'",
            "''",
            "'512'",
            "'512x-1'",
            "'true'",
            "(1,2)",
            "()",
            "(5,3)",
            "[]",
            "{}",
            "'random'",
            "'gaussian'",
            "'shuffled'",
            "'partially_corrupted'",
            "'customary'",
            "'fit_loss'",
            "float",
            "1e400",
            "-1e400",
            "0",
            "1",
        ]
    ),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.text(max_size=8).map(repr),
)
BINDINGS = st.lists(st.builds("{} = {}".format, NAMES, VALUES), min_size=1, max_size=4)


CODES = {0, 2, 3, 4}


def check_train(*arguments: str) -> None:
    """Raises Failed unless `bin/train` ends as documented."""
    check(CODES, *main(train, *arguments))


class FuzzTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    @hypothesis.settings(max_examples=1500, deadline=None, derandomize=True, database=None)
    @hypothesis.given(st.binary(max_size=200))
    def test_random_bytes_as_a_gin_file(self, content):
        path = self.folder / "file.gin"
        path.write_bytes(content)
        check_train(f"--gin_file={path}", "--print_config")

    @hypothesis.settings(max_examples=1500, deadline=None, derandomize=True, database=None)
    @hypothesis.given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), st.data())
    def test_damaged_gin_files(self, lines, data):
        text = "\n".join(lines)
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        path = self.folder / "file.gin"
        path.write_text(text[:start] + data.draw(st.text(max_size=6)) + text[end:])
        check_train(f"--gin_file={path}", "--print_config")

    @hypothesis.settings(max_examples=1000, deadline=None, derandomize=True, database=None)
    @hypothesis.given(BINDINGS)
    def test_random_values(self, bindings):
        """All of a run but its steps."""
        arguments = [f"--gin_param={binding}" for binding in (*SMALL, *bindings)]
        no_steps = mock.patch.object(keras.Model, "fit", lambda *args, **kwargs: None)
        with tempfile.TemporaryDirectory() as workdir, no_steps:
            check_train(f"--workdir={workdir}", f"--data_dir={self.folder}", *arguments)


if __name__ == "__main__":
    absltest.main()

import os
import subprocess
import sys
from pathlib import Path

from absl.testing import absltest

from rethink_keras.system import nvidia

ROOT = Path(__file__).resolve().parents[2]
START = "from rethink_keras.commands.tensorflow_start import start_tensorflow as start; start({})"
# A module of this name is found first, so that it can print, fail and abort in TensorFlow's place.
PRINTS = """
import os
os.write(2, b"I0000 port.cc:153] oneDNN custom operations are on. You may see slightly different numerical results.\\n")
os.write(2, b"E0000 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: UNKNOWN ERROR (303)\\n")
os.write(2, b"W0000 gpu_device.cc:2341] Cannot dlopen some GPU libraries.\\n")
"""


def start(arguments, after="", path=ROOT, **environment):
    code = f"{START.format(arguments)}\n{after}"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class StartTest(absltest.TestCase):
    def test_prints_nothing_and_leaves_stderr_to_the_process(self):
        done = start("", "import os; os.write(2, b'after')")
        self.assertEqual((done.returncode, done.stderr), (0, "after"))

    def test_threads(self):
        done = start(
            "threads=1",
            "from tensorflow import config; print(config.threading.get_intra_op_parallelism_threads())",
        )
        self.assertEqual(done.stdout, "1\n")

    def test_keras_is_whole(self):
        done = start(
            "",
            "import keras; print(keras.wrappers.SKLearnClassifier, keras.visualization.plot_image_gallery)",
        )
        self.assertEqual(done.returncode, 0, done.stderr)


class MissingGpuTest(absltest.TestCase):
    """A machine whose driver is a made file, and which has no GPU."""

    def start(self, arguments, **environment):
        version = Path(self.create_tempdir()) / "version"
        version.write_text(
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC\n"
        )
        imports = "from pathlib import Path; from rethink_keras.system.nvidia import Driver"
        code = f"{imports}\n{START.format(f'{arguments} driver=Driver(Path({str(version)!r}))')}"
        environment = {"TF_CPP_MIN_LOG_LEVEL": "", "CUDA_VISIBLE_DEVICES": "0", **environment}
        environment = {name: value for name, value in {**os.environ, **environment}.items() if value}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def setUp(self):
        super().setUp()
        if nvidia.Driver().is_installed:
            self.skipTest("has an NVIDIA driver")

    def test_a_note_says_what_to_do(self):
        done = self.start("")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertRegex(done.stderr, r"\ANote: .*NVIDIA driver.*docker.*\n\Z")

    def test_debug_shows_what_tensorflow_prints_instead(self):
        done = self.start("debug=True,")
        self.assertEqual(done.returncode, 0)
        self.assertIn("cuInit", done.stderr)
        self.assertNotIn("Note:", done.stderr)

    def test_gpus_hidden_on_purpose_need_no_note(self):
        done = self.start("", CUDA_VISIBLE_DEVICES="-1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class MessagesTest(absltest.TestCase):
    """Another module prints in TensorFlow's place."""

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        (self.folder / "rethink_keras").symlink_to(ROOT / "rethink_keras")

    def start(self, arguments, then):
        (self.folder / "keras.py").write_text(PRINTS + then)
        return start(arguments, path=self.folder, PYTHONSAFEPATH="1")

    def test_what_is_not_known_to_be_harmless_is_shown(self):
        done = self.start("", "")
        self.assertEqual(done.stderr, "W0000 gpu_device.cc:2341] Cannot dlopen some GPU libraries.\n")

    def test_an_import_that_fails_shows_its_messages(self):
        done = self.start("", "raise ImportError('wrong version')")
        self.assertIn("Cannot dlopen", done.stderr)
        self.assertIn("wrong version", done.stderr)

    def test_debug_shows_everything_even_of_a_process_that_is_aborted(self):
        done = self.start("debug=True", "os.abort()")
        self.assertLess(done.returncode, 0)
        for word in ("oneDNN", "cuInit", "Cannot dlopen"):
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    absltest.main()

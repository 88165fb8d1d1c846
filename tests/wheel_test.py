"""The package as pip installs it from a wheel: in a fresh environment, in an empty folder, without the repository."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

from absl.testing import absltest

from rethink_keras.training.provenance import code_version

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("rethink_keras", "gin", "pyproject.toml", "setup.py", "README.md", "LICENSE")
FEW = ("--gin_param=train.epochs = 2", "--gin_param=dataset.train_examples = 300")
SWEEP = """
sweep.groups = [@mlp/group()]
sweep.overlays = ['train.epochs = 1', 'dataset.train_examples = 300']
mlp/group.network = 'mlp'
mlp/group.base = ['quickstart.gin']
mlp/group.axes = [{'': [], 'random_labels': ['with/random_labels.gin']}]
"""


def copy_sources(folder: Path) -> Path:
    """Copies all that a wheel is built from, so that nothing of an earlier build gets into it. Returns the copy."""
    sources = folder / "sources"
    sources.mkdir()
    for path in (*(ROOT / part for part in PARTS), *ROOT.glob("requirements*.txt")):
        if path.is_dir():
            shutil.copytree(path, sources / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, sources)
    return sources


def build_wheel(folder: Path) -> Path:
    """Builds the wheel from a copy of the sources."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "wheel", *options, f"--wheel-dir={folder}", copy_sources(folder)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def new_environment(folder: Path) -> Path:
    """Makes an environment that shares the installed requirements. Returns its folder of programs."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def install(wheel: Path, folder: Path) -> Path:
    """Installs a wheel in a new environment. Returns its folder of programs."""
    programs = new_environment(folder)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", f"--python={programs / 'python'}"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    return programs


class WheelTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(made.cleanup)
        folder = Path(made.name).resolve()
        cls.wheel = build_wheel(folder)
        cls.programs = install(cls.wheel, folder / "venv")
        cls.home = folder / "home"  # digits are prepared once for all tests
        cls.home.mkdir()

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir()).resolve()

    def program(self, *arguments, code=0):
        """The output of `rethink-keras` in the test's folder."""
        return self.run_command([self.programs / "rethink-keras", *arguments], code)

    def run_command(self, command, code=0, **options):
        kept = {
            k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "TFDS_DATA_DIR", "XDG_CACHE_HOME")
        }
        environment = {**kept, "HOME": str(self.home), "PATH": f"{self.programs}:{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, **options
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def test_the_wheel_holds_the_whole_package_and_every_gin_file(self):
        with zipfile.ZipFile(self.wheel) as archive:
            names = set(archive.namelist())
        package = [
            p for p in (ROOT / "rethink_keras").rglob("*") if p.is_file() and "__pycache__" not in p.parts
        ]
        expected = {p.relative_to(ROOT).as_posix() for p in package}
        expected |= {f"rethink_keras/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "gin").rglob("*.gin")}
        self.assertEqual({name for name in names if ".dist-info/" not in name}, expected)

    def test_extras(self):
        (folder,) = self.programs.parent.glob("lib/python*/site-packages/rethink_keras-*.dist-info")
        found = importlib.metadata.PathDistribution(folder)
        self.assertContainsSubset({"ray", "wandb"}, found.metadata.get_all("Provides-Extra"))
        for extra in ("ray", "wandb"):
            wanted = [r for r in found.requires if re.search(f"extra == ['\"]{extra}['\"]", r)]
            self.assertTrue(any(r.startswith(f"{extra}==") for r in wanted), wanted)

    def test_help_names_the_program(self):
        self.assertRegex(self.program("--help"), r"(?m)^  minimum_norm +Trains")
        out = self.program("train", "--help")
        self.assertIn("rethink-keras train --gin_file=", out)
        self.assertNotIn("bin/", out)
        self.assertIn("'sweep'", self.program("sweeep", code=2))

    def test_configs(self):
        self.assertRegex(self.program("configs"), r"with/random_labels\.gin +Overlay: all training labels")

    def test_errors_name_the_program(self):
        (self.folder / "file").write_text("")
        error = self.program("report", f"--workdir={self.folder / 'file'}", "--output=out", code=2)
        self.assertIn("rethink-keras sweep", error)

    def test_demo(self):
        self.assertRegex(self.program("demo"), r"random labels +\d+\.\d\d%")
        self.assertTrue((self.folder / "runs" / "demo" / "learning_curves.png").is_file())
        self.assertTrue((self.home / ".cache" / "rethink_keras").is_dir())

    def test_a_run(self):
        self.program("train", "--gin_file=quickstart.gin", "--gin_file=with/random_labels.gin", *FEW)
        summary = json.loads((self.folder / "runs" / "quickstart+random_labels" / "summary.json").read_text())
        self.assertEqual(summary["status"], "done")
        self.assertEqual(summary["versions"]["rethink_keras"], code_version())

    def test_a_sweep_and_its_report(self):
        (self.folder / "mine.gin").write_text(SWEEP)
        out = self.program("sweep", "--gin_file=mine.gin", "--workdir=sweep", "--dry_run")
        command = out.splitlines()[-1].strip()
        self.assertStartsWith(command, "rethink-keras train --gin_file=quickstart.gin ")
        self.assertIn("train.epochs = 1", self.run_command(f"{command} --print_config", shell=True))
        self.program("sweep", "--gin_file=mine.gin", "--workdir=sweep")
        stored = json.loads((self.folder / "sweep" / "sweep.json").read_text())["runs"][1]["gin_files"]
        self.assertEqual(stored, ["gin/quickstart.gin", "gin/with/random_labels.gin"])
        self.assertIn("2 of 2 runs done", self.program("report", "--workdir=sweep", "--output=report"))
        page = (self.folder / "report" / "index.html").read_text()
        self.assertIn("rethink-keras sweep", page)
        self.assertEmpty(re.findall(r"\S*\bbin/\S*", page))
        self.assertIn("2 runs", self.program("runs", "--workdir=sweep"))


if __name__ == "__main__":
    absltest.main()

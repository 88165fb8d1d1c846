import subprocess
import sys
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.system import nvidia
from rethink_keras.system.nvidia import Driver

PROPRIETARY = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Wed Aug 30 19:39:36 UTC 2023\nGCC version: 12\n"
)
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build  (builder)\nGCC version: 13\n"
)
FAILED = (
    b"E0000 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: %s\n"
)
ALL_LOADED = "".join(f"7f00-7f01 r-xp 00 08:01 9 /opt/lib{name}.so.12\n" for name in nvidia.LIBRARIES)
ABSENT = "lib_that_nobody_has.so.1"


class NvidiaTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def driver(self, version="550.54.14", *, form=OPEN, device=True, library=ABSENT):
        """A machine's driver in made files."""
        if version:
            (self.folder / "version").write_text(form.format(version))
        devices = self.folder / "dev"
        devices.mkdir()
        (devices / "nvidiactl").touch()
        if device:
            (devices / "nvidia3").touch()
        return Driver(self.folder / "version", devices, library)

    def missing_gpu(self, driver, messages=b"", *, cuda="12.5.1", visible=None, loaded=ALL_LOADED):
        maps = self.folder / "maps"
        maps.write_text(loaded)
        return nvidia.missing_gpu(driver, messages, cuda_version=cuda, visible_devices=visible, maps=maps)


class DriverTest(NvidiaTest):
    def test_each_sign_is_enough(self):
        nowhere = self.folder / "nowhere"
        self.assertFalse(Driver(nowhere, nowhere, ABSENT).is_installed)
        full = self.driver()
        self.assertTrue(Driver(full.version_file, nowhere, ABSENT).is_installed)
        self.assertTrue(Driver(nowhere, full.devices, ABSENT).is_installed)
        self.assertTrue(Driver(nowhere, nowhere, "libc.so.6").is_installed)

    @parameterized.parameters(PROPRIETARY, OPEN)
    def test_version(self, form):
        self.assertEqual(self.driver("535.104.05", form=form).version, "535.104.05")

    @parameterized.parameters("", "NVRM version: none\n", "\0\x80")
    def test_a_version_that_cannot_be_read_is_unknown(self, text):
        driver = self.driver(None)
        self.assertIsNone(driver.version)
        driver.version_file.write_text(text)
        self.assertIsNone(driver.version)


class MissingGpuTest(NvidiaTest):
    def test_without_a_driver_nothing_is_said(self):
        driver = self.driver(None, device=False)
        for messages in (
            b"",
            FAILED % b"UNKNOWN ERROR (303)",
            FAILED % b"CUDA_ERROR_NO_DEVICE: no CUDA device",
        ):
            self.assertIsNone(self.missing_gpu(driver, messages, loaded=""))

    @parameterized.parameters("", "-1", " -1,0", "NoDevFiles", "none")
    def test_gpus_that_are_hidden_on_purpose(self, visible):
        self.assertIsNone(self.missing_gpu(self.driver(), visible=visible, loaded=""))

    @parameterized.named_parameters(
        ("no_cuda", {"cuda": None}, "built without CUDA.*requirements-gpu.txt"),
        ("no_libraries", {"loaded": ""}, "cudart, cublas.*requirements-gpu.txt"),
        (
            "no_cudnn",
            {"loaded": ALL_LOADED.replace("libcudnn", "libother")},
            r"libraries cudnn\. .*requirements-gpu",
        ),
        ("no_cublas", {"loaded": ALL_LOADED.replace("libcublas.so", "x")}, r"libraries cublas\. "),
        ("no_library", {"messages": FAILED % b"UNKNOWN ERROR (303)"}, "not its library.*--gpus all"),
        (
            "mismatch",
            {"messages": FAILED % b"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"},
            "SYSTEM_DRIVER_MISMATCH.*nvidia-smi",
        ),
        (
            "wrong_number",
            {"visible": "9", "messages": FAILED % b"CUDA_ERROR_NO_DEVICE"},
            "'9', which names no GPU",
        ),
        ("lost", {"messages": FAILED % b"CUDA_ERROR_NO_DEVICE"}, "NO_DEVICE.*nvidia-smi"),
        ("else", {}, "lists no GPU.*--debug"),
    )
    def test_reasons(self, arguments, pattern):
        self.assertRegex(self.missing_gpu(self.driver(), **arguments), pattern)

    def test_an_old_driver(self):
        self.assertRegex(self.missing_gpu(self.driver("470.82.01")), "470.82.01 is too old.*525 or later")

    def test_the_oldest_driver_is_not_too_old(self):
        self.assertNotIn("too old", self.missing_gpu(self.driver("525.60.13")))

    def test_a_cuda_version_of_unknown_requirements(self):
        self.assertNotIn("too old", self.missing_gpu(self.driver("470.82.01"), cuda="99.1"))

    def test_the_library_alone_on_a_machine_without_a_gpu(self):
        driver = self.driver(None, device=False, library="libc.so.6")
        self.assertIsNone(self.missing_gpu(driver, FAILED % b"CUDA_ERROR_NO_DEVICE", loaded=""))

    def test_libraries_that_cannot_be_listed(self):
        nowhere = self.folder / "nowhere"
        note = nvidia.missing_gpu(
            self.driver(), b"", cuda_version="12.5.1", visible_devices=None, maps=nowhere
        )
        self.assertIn("lists no GPU", note)


class PreloadTest(NvidiaTest):
    PRELOAD = """
import sys
from pathlib import Path
from rethink_keras.system.nvidia import preload_cusolver
preload_cusolver(*([[Path(folder)] for folder in sys.argv[1:]]))
print(Path("/proc/self/maps").read_text())
"""

    def loaded(self, *folders, **environment):
        root = Path(__file__).parents[2]
        command = [sys.executable, "-c", self.PRELOAD, *map(str, folders)]
        environment = {"PYTHONPATH": f"{self.folder}:{root}", **environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        self.assertEmpty(done.stderr)
        return done.stdout

    def library(self, content=None):
        """A package `nvidia` with a library, a copy of some other one, or with made content."""
        path = self.folder / "nvidia" / "cusolver" / "lib" / "libcusolver.so.11"
        path.parent.mkdir(parents=True)
        some = next(Path(sys.prefix).rglob("site-packages/*/*.so"))
        path.write_bytes(some.read_bytes() if content is None else content)
        return path

    def test_a_library_in_the_folder_is_loaded(self):
        path = self.library()
        self.assertIn(str(path), self.loaded(self.folder / "nvidia"))

    def test_the_package_on_the_path_is_found(self):
        self.assertIn(str(self.library()), self.loaded())

    def test_without_the_package_or_with_a_damaged_library_nothing_happens(self):
        self.assertNotIn("cusolver", self.loaded())
        self.library(b"not a library")
        self.assertNotIn("cusolver", self.loaded(self.folder / "nvidia"))


if __name__ == "__main__":
    absltest.main()

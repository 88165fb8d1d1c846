"""NVIDIA's driver and CUDA libraries, as far as files show them: why TensorFlow may list no GPU. Without TensorFlow."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

INSTALL = "Install them: pip install -r requirements-gpu.txt"
# TensorFlow opens all of these, or uses no GPU (tsl/platform/default/dso_loader.cc, TryDlopenCUDALibraries).
LIBRARIES = ("cudart", "cublas", "cublasLt", "cufft", "cusolver", "cusparse", "cudnn")
# The oldest driver for each major version of CUDA (NVIDIA's table of minor version compatibility).
OLDEST_DRIVERS = {12: 525, 13: 580}
_NO_DEVICE = "CUDA_ERROR_NO_DEVICE"
_LIBRARY_NOT_FOUND = "UNKNOWN ERROR (303)"  # CUDA_ERROR_SHARED_OBJECT_INIT_FAILED: there is no libcuda.so.1
_INIT_ERROR = re.compile(rb"failed call to cuInit: (.*)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Driver:
    """NVIDIA's driver on a machine.

    Attributes:
        version_file: What the kernel module writes.
        devices: Folder of the devices.
        library: The driver's library, as `dlopen` finds it.
    """

    version_file: Path = Path("/proc/driver/nvidia/version")
    devices: Path = Path("/dev")
    library: str = "libcuda.so.1"

    @property
    def is_installed(self) -> bool:
        """Whether the machine seems to have an NVIDIA GPU: its kernel module, a device or the driver's library."""
        return self.version_file.exists() or self.has_device or self._has_library

    @property
    def has_device(self) -> bool:
        """Whether the machine has a device of an NVIDIA GPU."""
        return any(self.devices.glob("nvidia[0-9]*"))

    @property
    def _has_library(self) -> bool:
        try:
            ctypes.CDLL(self.library)
        except OSError:
            return False
        return True

    @property
    def version(self) -> str | None:
        """The driver's version, such as '535.104.05'; None where it is not known."""
        try:
            text = self.version_file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        found = re.search(r"Kernel Module.*?\s(\d+(\.\d+)+)\s", text)
        return found[1] if found else None


def preload_cusolver(packages: Sequence[Path] | None = None) -> None:
    """Loads the cuSOLVER library that pip installed, so that TensorFlow finds it.

    TensorFlow 2.21 opens the CUDA libraries from libtensorflow_framework.so, whose RUNPATH has the folders of all that
    it needs but cuSOLVER's: without this, or LD_LIBRARY_PATH, it uses no GPU. A library that is loaded already is found
    by its name. Call it before TensorFlow looks for devices; without the library it does nothing.

    Args:
        packages: Folders of the package `nvidia`; None for those on Python's path.
    """
    if packages is None:
        spec = importlib.util.find_spec("nvidia")
        packages = [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
    for path in _cusolver(packages):
        with contextlib.suppress(OSError):  # TensorFlow will not find it either, which `missing_gpu` reports
            ctypes.CDLL(str(path))
            return


def _cusolver(packages: Sequence[Path]) -> Iterator[Path]:
    for folder in packages:
        yield from sorted((folder / "cusolver" / "lib").glob("libcusolver.so.*"))


def missing_gpu(
    driver: Driver,
    messages: bytes,
    *,
    cuda_version: str | None,
    visible_devices: str | None,
    maps: Path = Path("/proc/self/maps"),
) -> str | None:
    """Returns why TensorFlow lists no GPU and what to do, in two sentences; None where nothing is to be expected.

    Call it in the process in which TensorFlow has looked for devices and has found no GPU.

    Args:
        driver: The machine's driver.
        messages: What TensorFlow printed meanwhile.
        cuda_version: Of TensorFlow's build, such as '12.5.1'; None for a build without CUDA.
        visible_devices: Value of CUDA_VISIBLE_DEVICES; None if it is not set.
        maps: The libraries that this process has loaded.
    """
    if not driver.is_installed or (visible_devices is not None and _hides_all(visible_devices)):
        return None
    if cuda_version is None:
        return (
            "This machine has an NVIDIA driver, but this TensorFlow is built without CUDA. "
            "Install one that is, with its CUDA libraries: pip install -r requirements-gpu.txt"
        )
    version, oldest = driver.version, OLDEST_DRIVERS.get(int(cuda_version.partition(".")[0]))
    if version and oldest and int(version.partition(".")[0]) < oldest:
        return (
            f"The NVIDIA driver {version} is too old for CUDA {cuda_version}, with which this TensorFlow is built. "
            f"Install the driver {oldest} or later."
        )
    if error := _INIT_ERROR.search(messages):
        return _initialization(error[1].decode(errors="replace").strip(), driver, visible_devices)
    if missing := _not_loaded(maps):
        return (
            f"This machine has an NVIDIA driver, but TensorFlow does not find the CUDA libraries "
            f"{', '.join(missing)}. {INSTALL}"
        )
    return (
        "This machine has an NVIDIA driver, but TensorFlow lists no GPU. With --debug it prints all that it knows of "
        "the reason."
    )


def _hides_all(visible_devices: str) -> bool:
    """Returns whether a value of CUDA_VISIBLE_DEVICES hides all GPUs: the list ends at the first entry below 0."""
    first = visible_devices.partition(",")[0].strip()
    return not first or first.startswith("-") or first.lower() in ("none", "nodevfiles", "void")


def _initialization(error: str, driver: Driver, visible_devices: str | None) -> str | None:
    """Returns what to do about an error with which the driver's library began."""
    if _NO_DEVICE in error:
        if visible_devices is not None:
            return (
                f"CUDA_VISIBLE_DEVICES is '{visible_devices}', which names no GPU of this machine. "
                "Name those that nvidia-smi -L lists, or unset it."
            )
        if not driver.has_device:  # the library alone, as on the head of a cluster
            return None
    if _LIBRARY_NOT_FOUND in error:
        return (
            f"This machine has an NVIDIA driver, but not its library {driver.library}. Install the whole driver; "
            "start a container with its GPUs: docker run --gpus all"
        )
    return (
        f"The NVIDIA driver cannot be used ({error[:200]}). "
        "See whether nvidia-smi works; after an update of the driver, restart the machine."
    )


def _not_loaded(maps: Path) -> list[str]:
    """Returns the CUDA libraries that this process has not loaded; none where that cannot be read."""
    try:
        text = maps.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [name for name in LIBRARIES if f"/lib{name}.so" not in text]

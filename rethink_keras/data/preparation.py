"""Gets data sets onto the disk: download, or an archive that is already there."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import requests
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

from rethink_keras.errors import DataNotAvailableError, UserError
from rethink_keras.system.locks import held_in_turn

EMBEDDED_DIR = Path("~/.cache/rethink_keras/tensorflow_datasets")
CONNECT_SECONDS = 10


def prepared_builder(name: str, data_dir: str | Path | None = None) -> tfds.core.DatasetBuilder:
    """The TFDS builder of a data set that is on disk, prepared now if need be, by one process at a time.

    Raises:
        DataNotAvailableError: if the set is neither on disk nor to be had.
        UserError: if the data folder cannot be written.
    """
    builder = _builder(name, data_dir)
    if _is_on_disk(builder):
        return builder
    if name != "digits":
        _check_reachable(builder)
    with _preparing(builder):
        builder = _builder(name, data_dir)  # another process may have prepared it meanwhile
        if not _is_on_disk(builder):
            _download(builder)
    if not _is_on_disk(builder):
        raise _unreadable(name, Path(builder.data_dir), "it names no splits")
    return builder


def prepare_from_archives(name: str, archives: list[Path], data_dir: str | Path | None = None) -> Path:
    """Prepares a data set from its original archive, or archives, already on disk.

    Args:
        name: the data set's.
        archives: the files as their publisher names them, such as `cifar-10-binary.tar.gz`; MNIST's four.
        data_dir: TFDS data folder; None leaves it to TFDS.

    Returns:
        The folder of the prepared data set.

    Raises:
        UserError: for a file that is missing or is not the publisher's.
    """
    for archive in archives:
        if not archive.is_file():
            raise UserError(f"There is no archive {archive}. Give the path of a file to --archive.")
    if len({archive.name for archive in archives}) < len(archives):
        raise UserError("Two archives have the same name. Give each file once to --archive.")
    builder = _builder(name, data_dir)
    if _is_on_disk(builder):
        return Path(builder.data_dir)
    expected = _archive_names(builder)
    unknown = [a.name for a in archives if expected and a.name not in expected]
    missing = sorted(expected - {a.name for a in archives})
    if unknown or missing:
        raise UserError(
            f"{name} is prepared from {', '.join(sorted(expected))}. "
            f"Give each with --archive under just that name; {_either(unknown, missing)}."
        )
    with tempfile.TemporaryDirectory() as folder:
        manual = _made(Path(folder) / "manual")
        for archive in archives:
            (manual / archive.name).symlink_to(archive.resolve())
        config = tfds.download.DownloadConfig(manual_dir=manual)
        try:
            with _preparing(builder):
                builder = _builder(name, data_dir)
                if not _is_on_disk(builder):
                    _generate(builder, config, download_dir=folder)
        except (NonMatchingChecksumError, tfds.download.DownloadError) as error:
            which = next((str(a) for a in archives if a.name in str(error)), f"An archive of {name}")
            raise UserError(f"{which} is damaged or not the original. Fetch it again.") from error
        except (AssertionError, OSError, EOFError) as error:
            raise UserError(f"{name} could not be prepared: {_first_line(error)}.") from error
    return Path(builder.data_dir)


def _builder(name: str, data_dir: str | Path | None) -> tfds.core.DatasetBuilder:
    if name == "digits":
        from rethink_keras.data.digits import Digits

        # Embedded data never need a place in a data folder that may be shared and read-only.
        own = Path(data_dir) if data_dir and (Path(data_dir) / "digits").is_dir() else _embedded_dir()
        try:
            return Digits(data_dir=str(own))
        except Exception as error:  # as below
            raise _unreadable(name, own, _first_line(error)) from error
    try:
        return tfds.builder(name, data_dir=None if data_dir is None else str(data_dir))
    except Exception as error:  # TFDS raises many kinds for files that are not its own
        raise _unreadable(name, data_dir or "the TFDS folder", _first_line(error)) from error


def _embedded_dir() -> Path:
    """The user's cache; where there is no home, or none that can be written, a temporary folder of the user's."""
    try:
        folder = _made(EMBEDDED_DIR.expanduser())
        if os.access(folder, os.W_OK) or (folder / "digits").is_dir():
            return folder
    except (OSError, RuntimeError):
        pass
    return Path(tempfile.gettempdir()) / f"rethink_keras_{os.getuid()}"


def _is_on_disk(builder: tfds.core.DatasetBuilder) -> bool:
    return bool(builder.info.splits)


@contextlib.contextmanager
def _preparing(builder) -> Iterator[None]:
    """Holds the lock under which a data set is prepared; waits for another process that does so."""
    folder = Path(builder.data_dir).parent
    try:
        _made(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    lock = folder / f"{builder.name}.lock"
    with held_in_turn(lock, f"Another process is preparing {builder.name}: waiting for it."):
        yield


def _download(builder) -> None:
    if builder.name == "digits":
        _generate_quietly(builder)
        return
    print(f"Preparing {builder.name} in {builder.data_dir} (once).", flush=True)
    try:
        _generate(builder, tfds.download.DownloadConfig())
    except (OSError, tfds.download.DownloadError, NonMatchingChecksumError, AssertionError) as error:
        raise _not_available(builder, f"could not be downloaded ({_first_line(error)})") from error


def _generate(builder, config, download_dir=None):
    try:
        builder.download_and_prepare(download_dir=download_dir, download_config=config)
    except PermissionError as error:
        raise _unwritable(Path(builder.data_dir).parent, error) from error


def _generate_quietly(builder) -> None:
    # TFDS speaks of a download of unknown size, and there is none.
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            _generate(builder, tfds.download.DownloadConfig())
    finally:
        tfds.enable_progress_bar()


def _check_reachable(builder) -> None:
    """Raises at once where there is no network: TFDS would retry for minutes, a warning a second."""
    urls = list(getattr(builder, "url_infos", None) or {})
    if not urls:
        raise _not_available(builder, "has to be fetched by hand from its publisher")
    try:
        requests.head(urls[0], timeout=CONNECT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise _not_available(builder, "its publisher cannot be reached") from error


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"The data folder {folder} cannot be written ({error.strerror}). Name another with --data_dir or TFDS_DATA_DIR."
    )


def _unreadable(name: str, place: Path | str, why: str) -> DataNotAvailableError:
    return DataNotAvailableError(
        f"The files of {name} in {place} cannot be read ({why}). Remove the folder {name} there, and prepare the data "
        f"set again: bin/data prepare --dataset={name}."
    )


def _not_available(builder, why: str) -> DataNotAvailableError:
    name = builder.name
    return DataNotAvailableError(
        f"The data set {name} is not in {Path(builder.data_dir).parent.parent}, and {why}. "
        f"Connect to the network, or prepare it by 'bin/data prepare --dataset={name} --archive=PATH', "
        "or point TFDS_DATA_DIR (or --data_dir) at a folder that holds it; "
        "gin/quickstart.gin needs no data at all."
    )


def _archive_names(builder) -> set[str]:
    return {info.filename for info in (getattr(builder, "url_infos", None) or {}).values() if info.filename}


def _either(unknown: list[str], missing: list[str]) -> str:
    if unknown:
        return f"{', '.join(unknown)} is none of them"
    return f"{', '.join(missing)} is missing"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

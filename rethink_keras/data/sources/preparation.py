"""Puts TFDS data sets on disk: by download, or from an archive that is already there."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import requests
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

from rethink_keras.errors import DataNotAvailableError, UserError
from rethink_keras.system.locks import held_in_turn

CONNECT_SECONDS = 10

# A TFDS builder reads the disk once, when it is made. After another process may have written, it is made again.
MakeBuilder: TypeAlias = Callable[[], tfds.core.DatasetBuilder]


def prepared_builder(make_builder: MakeBuilder, *, embedded: bool = False) -> tfds.core.DatasetBuilder:
    """Returns the builder of a data set on disk, prepared now if it is not there, by one process at a time.

    Args:
        make_builder: Returns a new builder of the set.
        embedded: The set is generated from installed files, without a download.

    Raises:
        DataNotAvailableError: The set is neither on disk nor reachable.
        UserError: The data folder cannot be written.
    """
    builder = make_builder()
    if _is_on_disk(builder):
        return builder
    if not embedded:
        _check_reachable(builder)
    with _preparing(builder):
        builder = make_builder()  # another process may have prepared it meanwhile
        if not _is_on_disk(builder):
            _generate_quietly(builder) if embedded else _download(builder)
    if not _is_on_disk(builder):
        raise unreadable_error(_full_name(builder), builder.data_dir, "it names no splits")
    return builder


def prepare_from_archives(make_builder: MakeBuilder, archives: Sequence[Path]) -> Path:
    """Prepares a data set from its original archives, already on disk.

    Args:
        make_builder: Returns a new builder of the set.
        archives: All archives of the set, under the names that their publisher gives them, such as
            `cifar-10-binary.tar.gz`.

    Returns:
        The folder of the prepared data set.

    Raises:
        UserError: An archive is missing or is not the publisher's.
    """
    for archive in archives:
        if not archive.is_file():
            raise UserError(f"There is no archive {archive}. Give the path of a file to --archive.")
    if len({archive.name for archive in archives}) < len(archives):
        raise UserError("Two archives have the same name. Give each file once to --archive.")
    builder = make_builder()
    if _is_on_disk(builder):
        return Path(builder.data_dir)
    _check_names(builder, archives)
    with tempfile.TemporaryDirectory() as folder:
        # TFDS takes a file in the manual folder in place of a download of that name.
        manual = Path(folder) / "manual"
        manual.mkdir()
        for archive in archives:
            (manual / archive.name).symlink_to(archive.resolve())
        config = tfds.download.DownloadConfig(manual_dir=manual)
        try:
            with _preparing(builder):
                builder = make_builder()
                if not _is_on_disk(builder):
                    _generate(builder, config, download_dir=folder)
        except (NonMatchingChecksumError, tfds.download.DownloadError) as error:
            which = next((str(a) for a in archives if a.name in str(error)), f"An archive of {builder.name}")
            raise UserError(f"{which} is damaged or not the original. Fetch it again.") from error
        except ImportError as error:
            raise _needs_package(builder, error) from error
        except (AssertionError, OSError, EOFError) as error:
            raise UserError(f"{builder.name} could not be prepared: {_first_line(error)}.") from error
    return Path(builder.data_dir)


def unreadable_error(name: str, place: Path | str, reason: Exception | str) -> DataNotAvailableError:
    """Returns the error of files on disk that are not a prepared data set."""
    return DataNotAvailableError(
        f"The files of {name} in {place} cannot be read ({_first_line(reason)}). Remove the folder {name} there, and "
        f"prepare the data set again: bin/data prepare --dataset={name}."
    )


def _is_on_disk(builder: tfds.core.DatasetBuilder) -> bool:
    return bool(builder.info.splits)


@contextlib.contextmanager
def _preparing(builder) -> Iterator[None]:
    """Holds the lock under which a data set is prepared; waits for another process that holds it."""
    folder = Path(builder.data_dir).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    lock = folder / f"{builder.name}.lock"
    with held_in_turn(lock, f"Another process is preparing {builder.name}: waiting for it."):
        yield


def _download(builder) -> None:
    print(f"Preparing {_full_name(builder)} in {builder.data_dir} (once).", flush=True)
    try:
        _generate(builder, tfds.download.DownloadConfig())
    except (OSError, tfds.download.DownloadError, NonMatchingChecksumError, AssertionError) as error:
        raise _not_available(builder, f"could not be downloaded ({_first_line(error)})") from error
    except ImportError as error:
        raise _needs_package(builder, error) from error


def _generate_quietly(builder) -> None:
    # TFDS would print that it downloads a data set of unknown size.
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            _generate(builder, tfds.download.DownloadConfig())
    finally:
        tfds.enable_progress_bar()


def _generate(builder, config, download_dir=None):
    try:
        builder.download_and_prepare(download_dir=download_dir, download_config=config)
    except PermissionError as error:
        raise _unwritable(Path(builder.data_dir).parent, error) from error


def _check_reachable(builder) -> None:
    """Raises DataNotAvailableError at once without a network: TFDS would retry for minutes."""
    urls = list(getattr(builder, "url_infos", None) or {})
    if not urls:
        raise _not_available(builder, "has to be fetched by hand from its publisher")
    try:
        requests.head(urls[0], timeout=CONNECT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise _not_available(builder, "its publisher cannot be reached") from error


def _check_names(builder, archives: Sequence[Path]) -> None:
    """Raises UserError unless the archives have the names that the builder expects, if it expects any."""
    infos = (getattr(builder, "url_infos", None) or {}).values()
    expected = {info.filename for info in infos if info.filename}
    given = {archive.name for archive in archives}
    if not expected or given == expected:
        return
    unknown, missing = sorted(given - expected), sorted(expected - given)
    wrong = f"{', '.join(unknown)} is none of them" if unknown else f"{', '.join(missing)} is missing"
    raise UserError(
        f"{builder.name} is prepared from {', '.join(sorted(expected))}. "
        f"Give each with --archive under just that name; {wrong}."
    )


def _full_name(builder) -> str:
    """Returns the name of a set as `dataset.name` takes it, such as 'cifar10' or 'emnist/letters'."""
    configuration = builder.builder_config
    return f"{builder.name}/{configuration.name}" if configuration else builder.name


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"The data folder {folder} cannot be written ({error.strerror}). Name another with --data_dir or TFDS_DATA_DIR."
    )


def _needs_package(builder, error: ImportError) -> DataNotAvailableError:
    """Returns the error of a set that TFDS prepares with a package that is not installed."""
    return DataNotAvailableError(
        f"TFDS prepares {_full_name(builder)} with a package that is not installed ({_first_line(error)}). Install "
        "it by pip, and run the same command again."
    )


def _not_available(builder, why: str) -> DataNotAvailableError:
    name = _full_name(builder)
    root = Path(builder.data_dir).parents[
        1 + name.count("/")
    ]  # of the folders name/version or name/config/version
    return DataNotAvailableError(
        f"The data set {name} is not in {root}, and {why}. "
        f"Connect to the network, or prepare it by 'bin/data prepare --dataset={name} --archive=PATH', "
        "or point TFDS_DATA_DIR (or --data_dir) at a folder that holds it; "
        "gin/quickstart.gin needs no data at all."
    )


def _first_line(error: BaseException | str) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

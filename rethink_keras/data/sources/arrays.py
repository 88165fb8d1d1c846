"""Images and labels in NumPy archives, in the form in which `bin/data export` writes them."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import gin
import numpy as np

from rethink_keras.data.sources.image_set import MOST_ID, ImageSet
from rethink_keras.data.sources.source import SOURCES, Source, check_count, check_fits
from rethink_keras.errors import DamagedError, DataNotAvailableError, UserError
from rethink_keras.system import archives

NEEDED = ("images", "labels")
KNOWN = (*NEEDED, "ids", "class_names", "original_labels", "corrupted")
CHANNELS = (1, 3)
MOST_CLASSES = 100_000
LONGEST_NAME = 200


@SOURCES.register("arrays")
@gin.configurable("arrays", denylist=["name"])
@dataclasses.dataclass(frozen=True)
class Arrays(Source):
    """`arrays`: a training and a test set in two .npz files.

    The arrays of a file, of which `images` and `labels` are needed:

        images: uint8 `[examples, height, width, channels]` with 1 or 3 channels, or `[examples, height, width]`.
        labels: Of an integer dtype, `[examples]`, from 0.
        ids: Of an integer dtype, `[examples]`, not negative and all different. Random numbers of an example are
            functions of its id. Without them it is the position.
        class_names: Text `[classes]`. Without it there are as many classes as the labels of both files need.
        original_labels: Like `labels`; what label confusion and exports show as an example's true label.
        corrupted: bool `[examples]`, whether the label was drawn at random. An example whose label differs from its
            original label counts as corrupted, too.

    Attributes:
        name: The name in `SOURCES`.
        train: Path of the file with the training set, absolute or relative to the present folder.
        test: Likewise for the test set.
    """

    name: str
    train: str | None = None
    test: str | None = None

    regularized_by_default: ClassVar[bool] = False

    def __post_init__(self):
        for split, path in self._paths.items():
            if not path:
                raise UserError(
                    f"The data set 'arrays' is read from files, and arrays.{split} names no file. Set arrays.{split} = "
                    f"'{split}.npz', a file like those of bin/data export."
                )

    @property
    def bindings(self) -> tuple[str, ...]:
        """Gin bindings of the absolute paths."""
        return tuple(f"arrays.{split} = {str(self._path(split).absolute())!r}" for split in self._paths)

    @property
    def train_examples(self) -> int:
        """The number of training examples; only the head of the file is read.

        Raises:
            DataNotAvailableError: There is no such file, or it is damaged.
            UserError: Its arrays are not of the right form.
        """
        return self._checked_heads("train")["labels"].shape[0]

    def open(self, split: str, data_dir: str | Path | None, count: int | None) -> ImageSet:
        """Reads one split, sorted by id, see `Source.open`."""
        del data_dir
        path = self._path(split)
        heads = self._checked_heads(split)
        check_count(str(path), split, count, heads["labels"].shape[0])
        check_fits(str(path), math.prod(heads["images"].shape))
        with _reported(path):
            arrays = archives.read_arrays(path)
        class_names = self._class_names(split, arrays)
        for name in ("labels", "original_labels"):
            if name in arrays:
                _check_labels(path, name, arrays[name], len(class_names))
        ids = _checked_ids(path, arrays.get("ids", np.arange(len(arrays["labels"]))))
        order = np.argsort(ids)[:count]
        in_order = np.array_equal(order, np.arange(len(order)))
        taken = slice(count) if in_order else order  # a slice copies nothing
        columns = {name: array[taken] for name, array in arrays.items() if name not in ("ids", "class_names")}
        images, labels = columns["images"], columns["labels"].astype(np.int64)
        original_labels = columns.get("original_labels", labels).astype(np.int64)
        return ImageSet(
            self.name,
            split,
            images if images.ndim == 4 else images[..., np.newaxis],
            labels,
            ids[taken],
            class_names,
            original_labels=original_labels,
            corrupted=columns.get("corrupted", np.zeros(len(labels), bool)) | (labels != original_labels),
        )

    @property
    def _paths(self) -> dict[str, str | None]:
        return {"train": self.train, "test": self.test}

    def _path(self, split: str) -> Path:
        return Path(str(self._paths[split]))

    def _checked_heads(self, split: str) -> dict[str, archives.Head]:
        """Returns shapes and dtypes of the arrays of a file, all of them checked."""
        path = self._path(split)
        with _reported(path):
            heads = archives.read_heads(path)
        for name in NEEDED:
            if name not in heads:
                raise UserError(
                    f"{path} has no array {name!r}; it has {', '.join(map(repr, heads)) or 'none'}. Write the file by "
                    "np.savez(path, images=images, labels=labels)."
                )
        for name in heads:
            if name not in KNOWN:
                near = difflib.get_close_matches(name, KNOWN, 1, 0.5)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise UserError(
                    f"{path} has an array {name[:80]!r}, which nothing uses.{hint} Write the file without it; "
                    f"known are {', '.join(KNOWN)}."
                )
        _check_images(path, heads["images"])
        for name in heads:
            _check_column(path, name, heads[name], heads["images"].shape[0])
        return heads

    def _class_names(self, split: str, arrays: dict[str, np.ndarray]) -> tuple[str, ...]:
        """Returns the names of the classes, the same for both splits: of the training file, else numbers."""
        other = "test" if split == "train" else "train"
        self._checked_heads(other)
        with _reported(self._path(other)):
            others = archives.read_arrays(self._path(other), ("labels", "original_labels", "class_names"))
        both = {split: arrays, other: others}
        named = {
            which: _checked_names(self._path(which), of["class_names"])
            for which, of in both.items()
            if "class_names" in of
        }
        if len(set(named.values())) > 1:
            raise UserError(
                f"{self.train} and {self.test} have different class_names. Write the same ones into both files."
            )
        if named:
            return next(iter(named.values()))
        largest = max(
            int(of[n].max()) for of in both.values() for n in ("labels", "original_labels") if n in of
        )
        if not 1 <= largest < MOST_CLASSES:
            raise UserError(
                f"The largest label of {self.train} and {self.test} is {largest}. Give labels from 0 to the number of "
                f"classes - 1, of 2 to {MOST_CLASSES:,} classes, or write class_names into the files."
            )
        return tuple(map(str, range(largest + 1)))


@contextlib.contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Turns errors in reading a file into errors for the user."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataNotAvailableError(
            f"There is no file {path.absolute()}. Correct arrays.train and arrays.test, or write the file by bin/data "
            "export."
        ) from error
    except DamagedError as error:
        reason = " ".join(str(error).split())[:200]
        raise DataNotAvailableError(
            f"{path} is no whole .npz file ({reason}). Write it again by np.savez or bin/data export."
        ) from error


def _check_images(path: Path, head: archives.Head) -> None:
    shape, dtype = head
    if dtype != np.uint8:
        raise UserError(
            f"The images of {path} are {dtype}. Write uint8 from 0 to 255: np.clip(np.rint(images), 0, 255).astype("
            "np.uint8), with images of 0 to 1 times 255. Gaussian pixels are randomization.pixels = 'gaussian'."
        )
    if len(shape) not in (3, 4) or min(shape) < 1 or (len(shape) == 4 and shape[3] not in CHANNELS):
        hint = ""
        if len(shape) == 4 and shape[1] in CHANNELS:
            hint = " images.transpose(0, 2, 3, 1) puts the channels last."
        raise UserError(
            f"The images of {path} have shape {shape}. Write [examples, height, width, channels] with 1 or 3 channels, "
            f"or [examples, height, width].{hint}"
        )


def _check_column(path: Path, name: str, head: archives.Head, examples: int) -> None:
    """Raises UserError unless an array has a number, a name or a truth value for each example or class."""
    shape, dtype = head
    if name == "images":
        return
    kinds = {"class_names": ("U", "text"), "corrupted": ("b", "truth values")}
    kind, words = kinds.get(name, ("iu", "whole numbers"))
    if dtype.kind not in kind:
        way = {"U": "str", "b": "bool"}.get(kind, "np.int64")
        raise UserError(f"The {name} of {path} are {dtype}. Write {words}: {name}.astype({way}).")
    if name == "class_names":
        expected, rows = len(shape) == 1, "one for each class"
    else:
        expected, rows = shape == (examples,), f"[{examples}], one for each image"
    if not expected:
        raise UserError(
            f"The {name} of {path} have shape {shape}. Write {rows}.{_flatten_hint(name, shape, examples)}"
        )


def _flatten_hint(name: str, shape: tuple[int, ...], examples: int) -> str:
    if shape == (examples, 1):
        return f" {name}.ravel() does."
    if name == "labels" and len(shape) == 2 and shape[0] == examples:
        return " labels.argmax(axis=1) turns one-hot rows into numbers."
    return ""


def _check_labels(path: Path, name: str, labels: np.ndarray, classes: int) -> None:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise UserError(
            f"The {name} of {path} are from {low} to {high}, and there are {classes} classes. Write labels from 0 to "
            f"{classes - 1}, or a class_names of all classes."
        )


def _checked_ids(path: Path, ids: np.ndarray) -> np.ndarray:
    """Returns ids as int64."""
    if int(ids.min()) < 0 or int(ids.max()) > MOST_ID:
        raise UserError(
            f"The ids of {path} are from {ids.min()} to {ids.max()}. Write numbers from 0 to {MOST_ID}, such as "
            "positions in the original set, or leave ids out."
        )
    if len(np.unique(ids)) != len(ids):
        raise UserError(f"Two examples of {path} have the same id. Write ids that are all different.")
    return ids.astype(np.int64)


def _checked_names(path: Path, names: np.ndarray) -> tuple[str, ...]:
    found: list[Any] = names.tolist()
    if not 2 <= len(found) <= MOST_CLASSES or not all(
        n.isprintable() and len(n) <= LONGEST_NAME for n in found
    ):
        raise UserError(
            f"The class_names of {path} are no names of classes. Write 2 to {MOST_CLASSES:,} printable texts of at "
            f"most {LONGEST_NAME} characters."
        )
    return tuple(found)

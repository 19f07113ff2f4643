"""Colour images of 32 × 32 pixels: CIFAR, STL-10 and SVHN, in the formats they are published in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodeflow.datasets.dataset import Dataset, check_proportions, damaged, held_back, pixels

__all__ = ["CIFAR_FILES", "STL10_FILES", "SVHN_FILES", "cifar", "stl10", "svhn"]

CIFAR_FILES = {
    "cifar10": ([f"data_batch_{k}.bin" for k in range(1, 6)], ["test_batch.bin"]),
    "cifar100": (["train.bin"], ["test.bin"]),
}
"""Files of the "binary version" with training and with test items."""

STL10_FILES = ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin")
"""Labelled images of the binary version, and their labels."""

SVHN_FILES = ("train_32x32.mat", "test_32x32.mat")
"""Cropped digits, as Matlab files."""

_SIDE = 32
_STL10_SIDE = 96
_PIXELS = 3 * _SIDE * _SIDE
_TRAIN_TO_TEST = 5


def cifar(name: str, folder: Path) -> Dataset:
    """CIFAR-10, or the 100 fine classes of CIFAR-100 (Krizhevsky 2009).

    Of both, five times as many training items are published as test items, in files of equal size.
    Where that does not hold, a file was cut, if perhaps between two rows.
    """
    train, test = ([folder / file for file in files] for files in CIFAR_FILES[name])
    rows = {path: _cifar_rows(name, path) for path in (*train, *test)}
    shares = {path: _TRAIN_TO_TEST // len(train) if path in train else 1 for path in rows}
    check_proportions(
        {path: len(rows_of_file) for path, rows_of_file in rows.items()}, shares, "rows"
    )
    halves = [np.concatenate([rows[path] for path in paths]) for paths in (train, test)]
    labels = halves[0].shape[1] - _PIXELS
    first, second = (
        (pixels(half[:, labels:]), half[:, labels - 1].astype(np.int64)) for half in halves
    )
    return held_back(name, folder, first, second, _classes(name))


def _cifar_rows(name: str, path: Path) -> np.ndarray:
    """Rows of one label (of "cifar100" two, coarse and fine) and pixels."""
    labels = 2 if name == "cifar100" else 1
    raw = np.frombuffer(path.read_bytes(), np.uint8)
    if len(raw) == 0 or len(raw) % (labels + _PIXELS):
        raise damaged(path, f"is no whole number of rows of {labels + _PIXELS} bytes")
    rows = raw.reshape(-1, labels + _PIXELS)
    if rows[:, labels - 1].max() >= _classes(name):
        raise damaged(path, f"holds a label above {_classes(name) - 1}")
    return rows


def _classes(name: str) -> int:
    return 100 if name == "cifar100" else 10


def stl10(folder: Path) -> Dataset:
    """The labelled images of STL-10 (Coates, Ng & Lee 2011), 96 × 96 pixels made 32 × 32.

    Each pixel is the mean of nine, so that networks of CIFAR-10 can read them, as in Gupta et al.
    2026 (arXiv:2601.05052). Classes are numbered from 0 in the published order.
    """
    halves = []
    for images, labels in (STL10_FILES[:2], STL10_FILES[2:]):
        raw = np.fromfile(folder / images, np.uint8)
        if len(raw) == 0 or len(raw) % (3 * _STL10_SIDE**2):
            raise damaged(folder / images, f"is no whole number of 3×{_STL10_SIDE}² bytes")
        y = np.fromfile(folder / labels, np.uint8)
        if y.shape != (len(raw) // (3 * _STL10_SIDE**2),) or not (1 <= y.min() <= y.max() <= 10):
            raise damaged(folder / labels, "does not hold one label of 1 to 10 for each image")
        halves.append((_shrunk(raw), y.astype(np.int64) - 1))
    return held_back("stl10", folder, halves[0], halves[1], 10)


def _shrunk(raw: np.ndarray) -> np.ndarray:
    """Images whose columns come first, 96 × 96, as rows of 3 × 32 × 32 numbers in [0, 1]."""
    by = _STL10_SIDE // _SIDE
    images = raw.reshape(-1, 3, _SIDE, by, _SIDE, by)  # channel, column, row
    mean = images.mean((3, 5), dtype=np.float32).transpose(0, 1, 3, 2)
    return np.ascontiguousarray(mean).reshape(len(images), _PIXELS) / np.float32(255)


def svhn(folder: Path) -> Dataset:
    """The cropped digits of street view house numbers (Netzer et al. 2011)."""
    train, test = (_svhn_half(folder / file) for file in SVHN_FILES)
    return held_back("svhn", folder, train, test, classes=10)


def _svhn_half(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a Matlab file: X (32, 32, 3, n) and y (n, 1), where 10 is the digit 0.

    scipy reads such files as data: nothing in them can run code.
    """
    from scipy.io import loadmat

    try:
        arrays = loadmat(path, variable_names=("X", "y"), appendmat=False)
        x, y = np.asarray(arrays["X"]), np.asarray(arrays["y"]).ravel()
    except Exception as error:  # scipy raises whatever a damaged file makes it do
        reason = " ".join(str(error).split())[:100]
        raise damaged(path, f"is no Matlab file with X and y ({reason})") from error
    if x.dtype != np.uint8 or x.shape != (_SIDE, _SIDE, 3, len(y)) or len(y) == 0:
        raise damaged(path, f"holds X of shape {x.shape} and type {x.dtype}, not 32×32×3×n bytes")
    if y.dtype.kind not in "iuf" or not ((y >= 1) & (y <= 10)).all():
        raise damaged(path, "holds labels that are not 1 to 10")
    return pixels(np.ascontiguousarray(x.transpose(3, 2, 0, 1))), y.astype(np.int64) % 10

"""MNIST and data sets of its form: idx files of 28 × 28 images, gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from nodeflow.datasets.dataset import Dataset, damaged, held_back, pixels

__all__ = ["IDX_FILES", "idx_dataset", "idx_path"]

IDX_FILES = {
    "train_x": "train-images-idx3-ubyte",
    "train_y": "train-labels-idx1-ubyte",
    "test_x": "t10k-images-idx3-ubyte",
    "test_y": "t10k-labels-idx1-ubyte",
}

_UNSIGNED_BYTE = 8
_SIDE = 28
_CLASSES = 10


def idx_path(folder: Path, file: str) -> Path | None:
    """Where a file lies in a folder, gzipped or not; None if it does not."""
    candidates = (folder / f"{file}.gz", folder / file)
    return next((path for path in candidates if path.is_file()), None)


def idx_dataset(name: str, folder: Path) -> Dataset:
    """The data set of four idx files."""
    part = {key: _read_idx(idx_path(folder, file)) for key, file in IDX_FILES.items()}
    halves = {}
    for half in ("train", "test"):
        images, labels = part[f"{half}_x"], part[f"{half}_y"]
        _check_images(folder, IDX_FILES[f"{half}_x"], images, labels)
        halves[half] = pixels(images), labels.astype(np.int64)
    return held_back(name, folder, halves["train"], halves["test"], _CLASSES)


def _check_images(folder: Path, file: str, images: np.ndarray, labels: np.ndarray) -> None:
    if images.shape[1:] != (_SIDE, _SIDE) or len(images) == 0:
        raise damaged(folder / file, f"holds an array of shape {images.shape}, not n×28×28")
    if labels.shape != (len(images),) or labels.max() >= _CLASSES:
        raise damaged(
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
        raise damaged(path, f"cannot be read ({error})") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != _UNSIGNED_BYTE:
        raise damaged(path, "is not an idx file of unsigned bytes")
    head = 4 + 4 * raw[3]
    if len(raw) < head:
        raise damaged(path, "ends within its header")
    shape = tuple(int(length) for length in np.frombuffer(raw[4:head], ">u4"))
    expected = int(np.prod(shape, dtype=np.int64))
    if len(raw) - head != expected:
        raise damaged(path, f"holds {len(raw) - head} values instead of {expected}")
    return np.frombuffer(raw, np.uint8, offset=head).reshape(shape)

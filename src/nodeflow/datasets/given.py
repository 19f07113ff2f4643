"""Items of the user's own: arrays in an `.npz` file, or what a function of his returns."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nodeflow.datasets.dataset import DataProblem, Dataset
from nodeflow.datasets.named import call_named

__all__ = ["given_data", "is_array_file"]

_PARTS = {"train": "train", "training": "train", "valid": "validation", "val": "validation",
          "validation": "validation", "dev": "validation", "test": "test", "": "test"}  # fmt: skip
_KINDS = {"x": "x", "images": "x", "data": "x", "features": "x", "inputs": "x", "items": "x",
          "y": "y", "labels": "y", "targets": "y", "classes": "y"}  # fmt: skip
_FORMS = "arrays x and y to judge on, or test_x and test_y with train_x and train_y"


def is_array_file(source: str) -> bool:
    """Whether data are a file, and no function."""
    return source.endswith(".npz")


def given_data(source: str, item: Sequence[int] | None) -> Dataset:
    """Items that networks from elsewhere are judged on, as the networks read them.

    Nothing is scaled or normalized. Arrays are named x and y, or by part (train, validation or
    test) and kind (x or images, y or labels), as in test_x, x_test or test_images; without a part
    they are test items. A function may return them by name, as (x, y), or as (train_x, train_y,
    test_x, test_y).

    Args:
        source: an `.npz` file, or "package.module:function".
        item: shape of an item; None for that of the arrays.

    Returns:
        The data, with as many classes as the largest label says.

    Raises:
        DataProblem: no such arrays, or arrays of other shapes.
        NamedProblem: see `call_named`.
    """
    arrays = _named(_read(source), source)
    parts = {}
    for part in ("train", "validation", "test"):
        if (f"{part}_x" in arrays) != (f"{part}_y" in arrays):
            lacking = next(x for x in (f"{part}_x", f"{part}_y") if x not in arrays)
            raise DataProblem(f"{source} has no {lacking}; it has to hold {_FORMS}.")
        if f"{part}_x" in arrays:
            parts[part] = _part(arrays, part, source, item)
    if "test" not in parts:
        raise DataProblem(
            f"{source} has no items to judge on, only {', '.join(arrays) or 'nothing'}; it has to "
            f"hold {_FORMS}."
        )
    shape = item if item is not None else np.shape(arrays["test_x"])[1:]
    size = int(np.prod(shape))
    rows = {
        part: parts.get(part, (np.zeros((0, size), np.float32), np.zeros(0, np.int64)))
        for part in ("train", "validation", "test")
    }
    count = int(max(y.max() for _, y in parts.values())) + 1
    return Dataset(source, *rows["train"], *rows["validation"], *rows["test"], count)


def item_of(source: str) -> tuple[int, ...]:
    """Shape of an item of some data; see `given_data`."""
    arrays = _named(_read(source), source)
    items = next((x for name, x in arrays.items() if name.endswith("_x")), None)
    if items is None:
        raise DataProblem(f"{source} has no items; it has to hold {_FORMS}.")
    return tuple(np.shape(items)[1:])


def _read(source: str) -> Any:
    if not is_array_file(source):
        return call_named(source, _FORMS)
    if not Path(source).is_file():
        raise DataProblem(f"{source} is not there; name the file with the arrays.")
    try:
        # No array of objects is read: it could run code.
        with np.load(source, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        reason = "it holds objects, not numbers" if "pickle" in str(error) else str(error)[:120]
        raise DataProblem(
            f"{source} cannot be read ({reason}); write arrays of numbers with numpy.savez."
        ) from error


def _named(given: Any, source: str) -> dict[str, np.ndarray]:
    """Arrays by part and kind."""
    if isinstance(given, tuple | list):
        names = {2: ("x", "y"), 4: ("train_x", "train_y", "test_x", "test_y")}.get(len(given))
        if names is None:
            raise DataProblem(f"{source} gives {len(given)} arrays; it has to give {_FORMS}.")
        given = dict(zip(names, given, strict=True))
    if not isinstance(given, Mapping):
        raise DataProblem(f"{source} gives {type(given).__name__}; it has to give {_FORMS}.")
    arrays: dict[str, np.ndarray] = {}
    for name, values in given.items():
        words = re.split(r"[_\W]+", str(name).lower())
        kinds = [_KINDS[word] for word in words if word in _KINDS]
        part = [_PARTS[word] for word in words if word in _PARTS]
        if len(words) == len(kinds) + len(part) and len(kinds) == 1 and len(part) <= 1:
            arrays[f"{(part or ['test'])[0]}_{kinds[0]}"] = _array(values, f"{name} of {source}")
    return arrays


def _array(values: Any, what: str) -> np.ndarray:
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataProblem(f"{what} holds {array.dtype}; give an array of numbers.")
    return array


def _part(
    arrays: Mapping[str, np.ndarray], part: str, source: str, item: Sequence[int] | None
) -> tuple[np.ndarray, np.ndarray]:
    x, y = arrays[f"{part}_x"], arrays[f"{part}_y"]
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if x.ndim < 2 or len(x) == 0 or y.shape != (len(x),):
        raise DataProblem(
            f"{part}_x and {part}_y of {source} have shapes {x.shape} and {y.shape}; give items "
            "(n, …), at least one, and one whole number for each (n,)."
        )
    if item is not None and x.shape[1:] != tuple(item) and x[0].size != int(np.prod(item)):
        raise DataProblem(
            f"items of {source} have shape {x.shape[1:]}; the module reads {tuple(item)}: give "
            "arrays as the module reads them."
        )
    if not np.isfinite(x).all():
        raise DataProblem(f"{part}_x of {source} holds values that are not finite; leave them out.")
    if y.dtype.kind == "f" and not (y == np.round(y)).all():
        raise DataProblem(
            f"{part}_y of {source} holds numbers that are no classes; give whole numbers from 0."
        )
    return np.ascontiguousarray(x.reshape(len(x), -1), np.float32), y.astype(np.int64)

"""Columns of tables as Arrow holds them, without pandas."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["arrow_column"]

_SAME = {np.dtype(x): pa.from_numpy_dtype(x) for x in ("int32", "int64", "float32", "float64")}


def arrow_column(column: Any, type_: pa.DataType) -> pa.Array:
    """A column of a table, or what is to become one, in Arrow's type.

    Arrays of that type stay where they are, and lists of strings and of arrays are put together
    here: `pyarrow.array` would import pandas for them.
    """
    if hasattr(column, "iloc"):  # of a data frame
        column = column.to_numpy()
    if isinstance(column, np.ndarray) and column.ndim == 1 and _SAME.get(column.dtype) == type_:
        return pa.Array.from_buffers(type_, len(column), [None, _buffer(column)])
    if pa.types.is_string(type_) and _all_are(column, str):
        encoded = [x.encode() for x in column]
        buffers = [None, _buffer(_ends(encoded)), pa.py_buffer(b"".join(encoded))]
        return pa.Array.from_buffers(pa.string(), len(column), buffers)
    if pa.types.is_list(type_) and _all_are(column, np.ndarray):
        values = arrow_column(np.concatenate(column), type_.value_type)
        return pa.ListArray.from_arrays(arrow_column(_ends(column), pa.int32()), values, type=type_)
    return pa.array(column, type_)


def _all_are(column: Any, kind: type) -> bool:
    return isinstance(column, list) and len(column) > 0 and all(isinstance(x, kind) for x in column)


def _buffer(array: np.ndarray) -> pa.Buffer:
    return pa.py_buffer(np.ascontiguousarray(array))


def _ends(parts: Sequence[Sized]) -> np.ndarray:
    """Where each part begins, and the last one ends, once they stand behind each other."""
    return np.cumsum([0, *map(len, parts)], dtype=np.int32)

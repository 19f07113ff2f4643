"""Named arrays as safetensors files, read as a whole or in part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors
from safetensors.numpy import save_file

from nodeflow.sealed import (
    BLANK,
    SEAL,
    Kind,
    Parameters,
    check_stamp,
    reading,
    sealing,
    stamp_of,
)

__all__ = [
    "open_tensors",
    "opened_parameters",
    "read_tensors",
    "tensor_stamp",
    "write_tensors",
    "writing_tensors",
]


def write_tensors(
    path: str | Path, tensors: Mapping[str, np.ndarray], kind: Kind, parameters: Parameters
) -> None:
    """Write named arrays as safetensors."""
    arrays = {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}
    stamp = stamp_of(kind, parameters) | {SEAL: BLANK}
    with sealing(path) as beside:
        # One key, because safetensors writes several in an order that changes from run to run.
        beside.write_bytes(to_safetensors(arrays, metadata={"nodeflow": json.dumps(stamp)}))


@contextmanager
def writing_tensors(
    path: str | Path,
    forms: Mapping[str, tuple[str, tuple[int, ...]]],
    kind: Kind,
    parameters: Parameters,
) -> Iterator[dict[str, np.ndarray]]:
    """Arrays on disk that the body fills, in any order; the file is as `write_tensors` makes it.

    Args:
        path: final name; appears only when the body has succeeded.
        forms: a type of safetensors (see `_TYPES`) and the shape of each array.
        kind: of the file.
        parameters: what it is made with.
    """
    stamp = stamp_of(kind, parameters) | {SEAL: BLANK}
    # Zeros that nobody has touched take no memory.
    empty = {name: np.zeros(shape, _TYPES[type_]) for name, (type_, shape) in forms.items()}
    with sealing(path) as beside:
        save_file(empty, beside, metadata={"nodeflow": json.dumps(stamp)})
        content = np.memmap(beside, np.uint8, "r+")
        start = 8 + int.from_bytes(content[:8].tobytes(), "little")
        head = json.loads(content[8:start].tobytes())
        yield {
            name: content[start + head[name]["data_offsets"][0] :][: array.nbytes]
            .view(array.dtype)
            .reshape(array.shape)
            for name, array in empty.items()
        }
        content.flush()


_TYPES: Mapping[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "BOOL": np.dtype("bool"),
}


def read_tensors(
    path: str | Path, kind: Kind, parameters: Parameters | None = None
) -> dict[str, np.ndarray]:
    """Read and check named arrays; see `read_table`."""
    with open_tensors(path, kind, parameters) as file:
        return {name: file.get_tensor(name) for name in sorted(file.keys())}


@contextmanager
def open_tensors(
    path: str | Path, kind: Kind, parameters: Parameters | None = None
) -> Iterator[Any]:
    """Check named arrays and open them, to read parts of them (`get_slice`)."""
    with reading(path, kind):
        file = safe_open(path, framework="numpy")
        check_stamp(path, kind, tensor_stamp(file), parameters)
    with file:
        yield file


def opened_parameters(file: Any) -> dict[str, Any]:
    """The parameters in the metadata of what `open_tensors` opened."""
    return dict(json.loads(tensor_stamp(file)["nodeflow.parameters"]))


def tensor_stamp(file: Any) -> dict[str, str]:
    """What an open safetensors file says about itself."""
    return dict(json.loads((file.metadata() or {}).get("nodeflow", "{}")))

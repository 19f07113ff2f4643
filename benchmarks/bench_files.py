"""What the seal of a file costs: reading with nodeflow against reading with the format alone."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from nodeflow.tables import Kind, Schema, read_table, read_tensors, write_table, write_tensors

STATES = Schema("states", 1, {"state": pa.float32()}, {"state": "activity"})
WEIGHTS = Kind("weights", 1)


def quickest(action: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of the fastest of a few calls."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    """Print the seconds and the ratio for a table and for tensors of 100 MB in memory."""
    values = np.random.default_rng(1).random(25_000_000, dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        table, tensors = Path(folder) / "a.parquet", Path(folder) / "a.safetensors"
        write_table(table, {"state": values}, STATES, {})
        write_tensors(tensors, {"w": values.reshape(2500, -1)}, WEIGHTS, {})
        for path, with_seal, other in (
            (table, lambda: read_table(table, STATES), lambda: pq.read_table(table).to_pandas()),
            (tensors, lambda: read_tensors(tensors, WEIGHTS), lambda: load_file(tensors)),
        ):
            checked, bare = quickest(with_seal), quickest(other)
            print(
                f"{path.suffix}: {path.stat().st_size / 1e6:.0f} MB in {checked:.2f} s, without "
                f"the seal {bare:.2f} s: {checked / bare:.2f} times as long"
            )


if __name__ == "__main__":
    main()

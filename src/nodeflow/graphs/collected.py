"""Measures of the graphs of all cells in one table."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.graphs.store import GRAPHS
from nodeflow.tables import Schema, gathered

__all__ = ["CELL", "COLLECTED_GRAPHS"]

CELL = Schema(
    "cell",
    1,
    {"role": pa.string(), "N": pa.int64(), "beta": pa.float64(), "gamma": pa.float64()},
    {
        "role": "training or test",
        "N": "number of nodes of the cell",
        "beta": "inverse temperature β",
        "gamma": "degree exponent γ",
    },
)

COLLECTED_GRAPHS = gathered("graphs of all cells", GRAPHS, CELL)

"""Measures of the graphs of all cells, and of all networks, in one table each."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.graphs.store import GRAPHS, NETWORKS
from nodeflow.tables import Schema, gathered

__all__ = ["CELL", "COLLECTED_GRAPHS", "COLLECTED_NETWORKS", "NETWORK"]

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

NETWORK = Schema(
    "network",
    1,
    {"network": pa.string(), "kind": pa.string()},
    {
        "network": "name of the network",
        "kind": "real (comes with a package), file (the user's), or cell (S1 test graphs)",
    },
)

COLLECTED_NETWORKS = gathered("all networks", NETWORKS, NETWORK)

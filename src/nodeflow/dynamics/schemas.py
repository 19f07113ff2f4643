"""What the files and tables of dynamics hold."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Schema, gathered

__all__ = [
    "ACTIVITY",
    "COLLECTED_ACTIVITY",
    "SYSTEM_CELL",
    "TRAJECTORIES",
]

TRAJECTORIES = Schema(
    name="trajectories",
    version=1,
    columns={
        "graph": pa.int32(),
        "trajectory": pa.int32(),
        "status": pa.string(),
        "reason": pa.string(),
        "times": pa.list_(pa.float64()),
        "states": pa.list_(pa.float32()),
    },
    about={
        "graph": "index of the graph in its cell",
        "trajectory": "index of the initial state on that graph",
        "status": "ok or failed",
        "reason": "why the integration failed; empty if it did not",
        "times": "observation times",
        "states": "node states, node by node, each over all times; NaN after a failure",
    },
)
"""Schema of a trajectory file; a row group holds one trajectory or a handful of small ones."""

ACTIVITY = Schema(
    "activity by degree",
    1,
    {
        "time": pa.float64(),
        "degree": pa.float64(),
        "low": pa.float64(),
        "median": pa.float64(),
        "high": pa.float64(),
        "nodes": pa.int64(),
    },
    {
        "time": "observation time",
        "degree": "centre of the degree bin; 0 for isolated nodes",
        "low": "first decile of the states",
        "median": "median of the states",
        "high": "last decile of the states",
        "nodes": "number of states",
    },
)

SYSTEM_CELL = Schema(
    "system and cell",
    1,
    {
        "system": pa.string(),
        "N": pa.int64(),
        "beta": pa.float64(),
        "gamma": pa.float64(),
    },
    {
        "system": "dynamical system",
        "N": "number of nodes",
        "beta": "inverse temperature β",
        "gamma": "degree exponent γ",
    },
)

COLLECTED_ACTIVITY = gathered("activity of all systems", ACTIVITY, SYSTEM_CELL)

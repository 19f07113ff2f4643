"""Activity by degree of all systems and cells in one table."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.dynamics.by_degree import ACTIVITY
from nodeflow.tables import Schema, gathered

__all__ = ["COLLECTED_ACTIVITY", "SYSTEM_CELL"]

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

"""Training histories of all flows in one table."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.flow.history import FLOW_HISTORY
from nodeflow.tables import Schema, gathered

__all__ = ["COLLECTED_FLOW_HISTORY", "FLOW"]

FLOW = Schema(
    "flow",
    1,
    {
        "flow": pa.string(),
        "data": pa.string(),
        "method": pa.string(),
        "weights": pa.string(),
        "width": pa.int64(),
    },
    {
        "flow": "name of the flow",
        "data": "data set that the networks were trained on",
        "method": "descent, codes, ddpm or paper",
        "weights": "aligned or raw: what the flow learned from",
        "width": "hidden width of the velocity field; probes of a descent",
    },
)

COLLECTED_FLOW_HISTORY = gathered("training of all flows", FLOW_HISTORY, FLOW)

"""What the files and tables of samples of flows hold, and what tells flows apart.

Training does not follow from them: what it makes stands in `training_schemas`.
"""

from __future__ import annotations

import pyarrow as pa

from nodeflow.flow.training_schemas import FLOW_HISTORY
from nodeflow.tables import Kind, Schema, gathered

__all__ = [
    "COLLECTED_FLOW_HISTORY",
    "FLOWS",
    "FLOW_SAMPLES",
    "FLOW_SPECTRA",
]

FLOW_SAMPLES = Kind("flow samples", 2)

FLOWS = Schema(
    "flow",
    2,
    {
        "flow": pa.string(),
        "data": pa.string(),
        "method": pa.string(),
        "alignment": pa.string(),
        "capacity": pa.int64(),
    },
    {
        "flow": "name of the flow",
        "data": "data set that the networks were trained on",
        "method": "descent, codes, ddpm or paper",
        "alignment": "aligned or raw: which form of the members the flow learned",
        "capacity": "hidden width of the velocity field; probes of a descent",
    },
)

COLLECTED_FLOW_HISTORY = gathered("training of all flows", FLOW_HISTORY, FLOWS)

FLOW_SPECTRA = Schema(
    "spectra of all flows",
    2,
    {
        **FLOWS.columns,
        "component": pa.int64(),
        "variance": pa.float64(),
        "kept": pa.float64(),
        "coded": pa.bool_(),
    },
    {
        **FLOWS.about,
        "component": "number of the principal component of the members learned from, from 1 on",
        "variance": "of these members along it, over the number of members less one",
        "kept": "share of their total variance that lies along this component and those before it",
        "coded": "whether codes have it",
    },
)

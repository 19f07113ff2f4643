"""What the files and tables of flows hold."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Kind, Schema, gathered

__all__ = [
    "COLLECTED_FLOW_HISTORY",
    "FLOW",
    "FLOW_FILE",
    "FLOW_HISTORY",
    "FLOW_SAMPLES",
    "FLOW_SPECTRA",
]

FLOW_FILE = Kind("flow", 3)
FLOW_SAMPLES = Kind("flow samples", 2)

FLOW_HISTORY = Schema(
    "flow history",
    1,
    columns={
        "step": pa.int64(),
        "loss": pa.float64(),
        "train_loss": pa.float64(),
        "held_out_loss": pa.float64(),
    },
    about={
        "step": "optimizer steps done",
        "loss": "mean loss of the batches since the row before: of flow matching in squared code "
        "units, of a descent in nats with its penalties",
        "train_loss": "loss of the weights to be sampled from, on training members at fixed draws",
        "held_out_loss": "the same on members that the flow never learns from; NaN without any",
    },
)

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

FLOW_SPECTRA = Schema(
    "spectra of all flows",
    1,
    {
        **FLOW.columns,
        "component": pa.int64(),
        "variance": pa.float64(),
        "kept": pa.float64(),
        "coded": pa.bool_(),
    },
    {
        **FLOW.about,
        "component": "number of the principal component of the members learned from, from 1 on",
        "variance": "of these members along it, over the number of members less one",
        "kept": "share of their total variance that lies along this component and those before it",
        "coded": "whether codes have it",
    },
)

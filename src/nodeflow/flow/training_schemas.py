"""What the training of flows makes: the flow, and its history."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Kind, Schema

__all__ = ["FLOW_FILE", "FLOW_HISTORY"]

FLOW_FILE = Kind("flow", 4)

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

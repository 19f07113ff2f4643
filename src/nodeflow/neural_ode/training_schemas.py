"""The history of the training of neural ODEs."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.neural_ode.identity import MODELS, REPLICATE
from nodeflow.tables import Schema

__all__ = ["NEURAL_ODE_HISTORY"]

NEURAL_ODE_HISTORY = Schema(
    "node history",
    4,
    {
        "replicate": pa.int32(),
        "attempt": pa.int32(),
        "step": pa.int64(),
        "loss": pa.float64(),
        "loss_persistence": pa.float64(),
        "loss_mean_field": pa.float64(),
        "status": pa.string(),
    },
    {
        "replicate": REPLICATE,
        "attempt": "0, or how often it had failed before; later attempts take smaller steps",
        "step": "optimizer steps done",
        "loss": "training loss of this step: of states, or in recipe matching of slopes",
        "loss_persistence": "loss of predicting that nothing ever changes",
        "loss_mean_field": "loss of the degree-based mean field of the true system",
        "status": "how the attempt ended: ok; weak, but kept, where its error is above a third of "
        "that of standing still; or why its result was thrown away",
    },
    identity=MODELS,
)

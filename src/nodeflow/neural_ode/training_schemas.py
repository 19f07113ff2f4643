"""What the training of neural ODEs makes: models, their snapshots, and its history."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Kind, Schema

__all__ = ["MODELS", "NEURAL_ODE_HISTORY", "NODE_MODELS", "NODE_SNAPSHOTS", "REPLICATE"]

REPLICATE = "number of the model: training graph by training graph, seed by seed"
"""What the column `replicate` says, in all tables."""

MODELS = Schema(
    "models",
    2,
    {
        "system": pa.string(),
        "variant": pa.string(),
        "trained_beta": pa.float64(),
        "trained_gamma": pa.float64(),
    },
    {
        "system": "dynamical system",
        "variant": "training data: plain, noise~σ, or covering: states up to those of hubs",
        "trained_beta": "inverse temperature β of the training graphs",
        "trained_gamma": "degree exponent γ of the training graphs",
    },
)

NODE_MODELS = Kind("node models", 3)
NODE_SNAPSHOTS = Kind("node snapshots", 2)

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

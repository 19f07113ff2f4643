"""What tells trained models apart, in the tables of all stages that follow from them."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Schema

__all__ = ["MODELS", "REPLICATE"]

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

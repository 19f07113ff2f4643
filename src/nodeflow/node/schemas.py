"""What tells the models of a run apart in all tables of neural ODEs."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.tables import Schema

__all__ = [
    "MODELS",
    "NOISY_MODELS",
]

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

NOISY_MODELS = Schema(
    "models trained with noise",
    1,
    {**MODELS.columns, "training_noise": pa.float64()},
    {**MODELS.about, "training_noise": "standard deviation of the noise on the training states"},
)

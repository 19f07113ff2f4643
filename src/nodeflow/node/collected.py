"""Training, tests and experiments of all neural ODEs in one table each."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.node.functions import NODE_FUNCTIONS
from nodeflow.node.store import (
    NODE_FIXED_POINTS,
    NODE_HIDDEN,
    NODE_HISTORY,
    NODE_NOISE,
    NODE_OVER_TRAINING,
    NODE_RUNS,
)
from nodeflow.tables import Schema, gathered

__all__ = [
    "COLLECTED_FIXED_POINTS",
    "COLLECTED_FUNCTIONS",
    "COLLECTED_HIDDEN",
    "COLLECTED_NOISE",
    "COLLECTED_OVER_TRAINING",
    "COLLECTED_TESTS",
    "COLLECTED_TRAINING",
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

COLLECTED_TRAINING = gathered("training of all models", NODE_HISTORY, MODELS)
COLLECTED_TESTS = gathered("tests of all models", NODE_RUNS, MODELS)
COLLECTED_OVER_TRAINING = gathered("errors of all models over training", NODE_OVER_TRAINING, MODELS)
COLLECTED_FIXED_POINTS = gathered("fixed points of all models", NODE_FIXED_POINTS, MODELS)
COLLECTED_HIDDEN = gathered("unobserved nodes, all models", NODE_HIDDEN, MODELS)
COLLECTED_NOISE = gathered("noise, all models", NODE_NOISE, NOISY_MODELS)
COLLECTED_FUNCTIONS = gathered("functions of all models", NODE_FUNCTIONS, MODELS)

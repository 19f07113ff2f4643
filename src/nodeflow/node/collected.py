"""Training and tests of all neural ODEs in one table each."""

from __future__ import annotations

import pyarrow as pa

from nodeflow.node.store import NODE_HISTORY, NODE_RUNS
from nodeflow.tables import Schema, gathered

__all__ = ["COLLECTED_TESTS", "COLLECTED_TRAINING", "MODELS", "TESTS"]

MODELS = Schema(
    "models",
    1,
    {"system": pa.string(), "trained_beta": pa.float64(), "trained_gamma": pa.float64()},
    {
        "system": "dynamical system",
        "trained_beta": "inverse temperature β of the training graphs",
        "trained_gamma": "degree exponent γ of the training graphs",
    },
)

TESTS = Schema(
    "tests",
    1,
    {**MODELS.columns, "N": pa.int64(), "beta": pa.float64(), "gamma": pa.float64()},
    {
        **MODELS.about,
        "N": "number of nodes of the test graphs",
        "beta": "inverse temperature β of the test graphs",
        "gamma": "degree exponent γ of the test graphs",
    },
)

COLLECTED_TRAINING = gathered("training of all models", NODE_HISTORY, MODELS)
COLLECTED_TESTS = gathered("tests of all models", NODE_RUNS, TESTS)

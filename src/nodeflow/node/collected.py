"""Training, tests and experiments of all neural ODEs in one table each."""

from __future__ import annotations

from nodeflow.node.store import (
    MODELS,
    NODE_FIXED_POINTS,
    NODE_FUNCTIONS,
    NODE_HIDDEN,
    NODE_HISTORY,
    NODE_NOISE,
    NODE_OVER_TRAINING,
    NODE_RUNS,
    NOISY_MODELS,
)
from nodeflow.tables import gathered

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

COLLECTED_TRAINING = gathered("training of all models", NODE_HISTORY, MODELS)
COLLECTED_TESTS = gathered("tests of all models", NODE_RUNS, MODELS)
COLLECTED_OVER_TRAINING = gathered("errors of all models over training", NODE_OVER_TRAINING, MODELS)
COLLECTED_FIXED_POINTS = gathered("fixed points of all models", NODE_FIXED_POINTS, MODELS)
COLLECTED_HIDDEN = gathered("unobserved nodes, all models", NODE_HIDDEN, MODELS)
COLLECTED_NOISE = gathered("noise, all models", NODE_NOISE, NOISY_MODELS)
COLLECTED_FUNCTIONS = gathered("functions of all models", NODE_FUNCTIONS, MODELS)

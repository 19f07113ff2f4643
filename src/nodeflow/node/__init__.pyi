from .evaluate import evaluate_models, node_errors
from .field import as_field
from .layout import ModelProblem
from .load import NeuralODE, load
from .settings import GaussNewtonSettings, MatchingSettings, PaperSettings, recipe_settings
from .store import (
    NODE_ERRORS,
    NODE_FIXED_POINTS,
    NODE_HIDDEN,
    NODE_HISTORY,
    NODE_NOISE,
    NODE_RUNS,
    Models,
    read_models,
    write_models,
)

__all__ = [
    "NODE_ERRORS",
    "NODE_FIXED_POINTS",
    "NODE_HIDDEN",
    "NODE_HISTORY",
    "NODE_NOISE",
    "NODE_RUNS",
    "GaussNewtonSettings",
    "MatchingSettings",
    "ModelProblem",
    "Models",
    "NeuralODE",
    "PaperSettings",
    "as_field",
    "evaluate_models",
    "load",
    "node_errors",
    "read_models",
    "recipe_settings",
    "write_models",
]

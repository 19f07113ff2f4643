from .evaluate import evaluate_models, node_errors
from .field import as_field
from .settings import GaussNewtonSettings, MatchingSettings, PaperSettings, recipe_settings
from .store import NODE_ERRORS, NODE_HISTORY, NODE_RUNS, Models, read_models, write_models

__all__ = [
    "NODE_ERRORS",
    "NODE_HISTORY",
    "NODE_RUNS",
    "GaussNewtonSettings",
    "MatchingSettings",
    "Models",
    "PaperSettings",
    "as_field",
    "evaluate_models",
    "node_errors",
    "read_models",
    "recipe_settings",
    "write_models",
]

"""Neural ODEs on networks: models, their files, and their tests on graphs.

Training needs torch and is imported from `nodeflow.node.train`, so that testing a model does not
load it.
"""

from nodeflow.node.evaluate import evaluate_models, node_errors
from nodeflow.node.field import as_field
from nodeflow.node.settings import (
    GaussNewtonSettings,
    MatchingSettings,
    PaperSettings,
    recipe_settings,
)
from nodeflow.node.store import (
    NODE_ERRORS,
    NODE_HISTORY,
    NODE_RUNS,
    Models,
    read_models,
    write_models,
)

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

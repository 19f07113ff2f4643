from .baselines import with_baselines
from .ensemble import Ensemble, save_ensemble, train_ensemble
from .evaluate import evaluate_models, node_errors
from .field import as_field
from .forced.forecaster import Forecaster
from .forced.settings import ForecasterProblem, ForecasterSettings
from .forced.store import load_forecaster, save_forecaster
from .forced.train import train_forecaster
from .functions import compare_functions
from .hidden import hide_nodes, perturb_initial_states
from .layout import ModelProblem
from .learned import Fields
from .load import NeuralODE, load
from .settings import GaussNewtonSettings, MatchingSettings, PaperSettings, recipe_settings
from .snapshots import evaluate_snapshots
from .stability import compare_fixed_points
from .store import (
    NODE_ERRORS,
    NODE_FIXED_POINTS,
    NODE_FUNCTIONS,
    NODE_HIDDEN,
    NODE_HISTORY,
    NODE_NOISE,
    NODE_OVER_TRAINING,
    NODE_RUNS,
    Models,
    Snapshots,
    read_models,
    read_snapshots,
    write_models,
    write_snapshots,
)
from .tails import models_with_tails, with_tails
from .train import train_models
from .trust import Bands, Calibration, Seen, bands, calibrate, flags
from .trust_table import NODE_TRUST
from .trusted import Evidence, evidence_of, rate_forecasts

__all__ = [
    "NODE_ERRORS",
    "NODE_FIXED_POINTS",
    "NODE_FUNCTIONS",
    "NODE_HIDDEN",
    "NODE_HISTORY",
    "NODE_NOISE",
    "NODE_OVER_TRAINING",
    "NODE_RUNS",
    "NODE_TRUST",
    "Bands",
    "Calibration",
    "Ensemble",
    "Evidence",
    "Fields",
    "Forecaster",
    "ForecasterProblem",
    "ForecasterSettings",
    "GaussNewtonSettings",
    "MatchingSettings",
    "ModelProblem",
    "Models",
    "NeuralODE",
    "PaperSettings",
    "Seen",
    "Snapshots",
    "as_field",
    "bands",
    "calibrate",
    "compare_fixed_points",
    "compare_functions",
    "evaluate_models",
    "evaluate_snapshots",
    "evidence_of",
    "flags",
    "hide_nodes",
    "load",
    "load_forecaster",
    "models_with_tails",
    "node_errors",
    "perturb_initial_states",
    "rate_forecasts",
    "read_models",
    "read_snapshots",
    "recipe_settings",
    "save_ensemble",
    "save_forecaster",
    "train_ensemble",
    "train_forecaster",
    "train_models",
    "with_baselines",
    "with_tails",
    "write_models",
    "write_snapshots",
]

from .baselines import with_baselines
from .ensemble import Ensemble, train_ensemble
from .ensemble_files import save_ensemble
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
from .schemas import (
    NEURAL_ODE_ERRORS,
    NEURAL_ODE_FIXED_POINTS,
    NEURAL_ODE_FUNCTIONS,
    NEURAL_ODE_HIDDEN,
    NEURAL_ODE_NOISE,
    NEURAL_ODE_OVER_TRAINING,
    NEURAL_ODE_RUNS,
)
from .seen import Seen, flags
from .settings import GaussNewtonSettings, MatchingSettings, PaperSettings, recipe_settings
from .snapshots import evaluate_snapshots
from .stability import compare_fixed_points
from .store import (
    Models,
    read_models,
    read_snapshots,
    write_models,
    write_snapshots,
)
from .tails import models_with_tails, with_tails
from .train import train_models
from .training_schemas import NEURAL_ODE_HISTORY
from .trust import Bands, Calibration, bands, calibrate
from .trust_table import NEURAL_ODE_TRUST
from .trusted import Evidence, evidence_of, rate_forecasts

__all__ = [
    "NEURAL_ODE_ERRORS",
    "NEURAL_ODE_FIXED_POINTS",
    "NEURAL_ODE_FUNCTIONS",
    "NEURAL_ODE_HIDDEN",
    "NEURAL_ODE_HISTORY",
    "NEURAL_ODE_NOISE",
    "NEURAL_ODE_OVER_TRAINING",
    "NEURAL_ODE_RUNS",
    "NEURAL_ODE_TRUST",
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

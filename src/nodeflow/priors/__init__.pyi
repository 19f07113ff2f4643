from .claims import judge_priors
from .estimates import estimate_member
from .evaluate import Asked, Evaluation, Generated
from .families import Family, Observing
from .files import load_prior, save_prior
from .gaussian import Prior, fit_prior
from .knowledge import Knowledge
from .members import prior_of_system
from .networks import networks, tails_of_functions
from .panel import judge_novelty
from .problem import PriorProblem
from .rivals import smooth_prior
from .schemas import (
    COLLECTED_ENSEMBLES,
    COLLECTED_FITS,
    COLLECTED_FIXED_POINTS,
    COLLECTED_FUNCTIONS,
    COLLECTED_HIDDEN,
    COLLECTED_PANEL,
    COLLECTED_RUNS,
    PRIOR_CLAIMS,
)
from .trials import Case, Trial, strangers, trials
from .zero_shot import ZeroShot, fit_zero_shot
from .zoo import FamilyZoo, read_zoo, train_zoo, write_zoo

__all__ = [
    "COLLECTED_ENSEMBLES",
    "COLLECTED_FITS",
    "COLLECTED_FIXED_POINTS",
    "COLLECTED_FUNCTIONS",
    "COLLECTED_HIDDEN",
    "COLLECTED_PANEL",
    "COLLECTED_RUNS",
    "PRIOR_CLAIMS",
    "Asked",
    "Case",
    "Evaluation",
    "Family",
    "FamilyZoo",
    "Generated",
    "Knowledge",
    "Observing",
    "Prior",
    "PriorProblem",
    "Trial",
    "ZeroShot",
    "estimate_member",
    "fit_prior",
    "fit_zero_shot",
    "judge_novelty",
    "judge_priors",
    "load_prior",
    "networks",
    "prior_of_system",
    "read_zoo",
    "save_prior",
    "smooth_prior",
    "strangers",
    "tails_of_functions",
    "train_zoo",
    "trials",
    "write_zoo",
]

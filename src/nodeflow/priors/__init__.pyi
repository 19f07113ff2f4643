from .gaussian import Prior, PriorProblem, fit_prior, load_prior, save_prior
from .members import estimate_member, prior_of_system

__all__ = [
    "Prior",
    "PriorProblem",
    "estimate_member",
    "fit_prior",
    "load_prior",
    "prior_of_system",
    "save_prior",
]

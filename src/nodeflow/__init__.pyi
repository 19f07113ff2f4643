from .neural_ode.ensemble_files import load_ensemble
from .stack import Stack, StackProblem

__all__ = ["Stack", "StackProblem", "__version__", "load_ensemble"]

__version__: str

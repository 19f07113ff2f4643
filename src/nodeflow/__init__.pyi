from .neural_ode.ensemble import load_ensemble

__all__ = ["__version__", "load_ensemble"]

__version__: str

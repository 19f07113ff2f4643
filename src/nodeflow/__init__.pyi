from .node.ensemble import load_ensemble

__version__: str

__all__ = ["__version__", "load_ensemble"]

from .node.ensemble import load_ensemble

__version__: str

__all__ = ["load_ensemble"]

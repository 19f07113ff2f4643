"""Dynamics: Barabási–Barzel systems, their integration on graphs, and files of trajectories."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

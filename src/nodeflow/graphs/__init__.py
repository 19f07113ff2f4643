"""Graphs: the S¹ model, its samplers and theory; null models; real networks; measures."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

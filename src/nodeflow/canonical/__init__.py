"""Canonicalization: the symmetries of networks, and what becomes of weights without them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

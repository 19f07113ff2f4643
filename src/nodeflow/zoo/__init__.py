"""Zoos: data sets, architectures, and many small networks trained at once."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Few frames: a Gaussian over the functions of related systems, and what frames make of it.

Functions of systems that resemble each other are close to a plane of few dimensions. A prior is
that plane, learned from estimates of the functions of many systems (`fit_prior`); two to forty
frames of a further system are enough to find its place there (`Prior.learn`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""The bridge: zoos of neural ODEs, canonicalized under their own symmetries, and flows over them.

Training, canonicalization and sampling need torch and are imported from their modules, so that the
tables can be read without it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

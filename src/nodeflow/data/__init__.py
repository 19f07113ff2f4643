"""Observed series that users bring along with a network.

The public names are listed in the stub beside this file and load when they are used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

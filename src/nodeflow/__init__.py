"""nodeflow: neural ODEs on complex networks, and generative models of network weights.

Importing this package loads neither torch nor pandas: Snakemake parses its rules with it.
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__all__ += ["__version__"]

__version__ = version("nodeflow")

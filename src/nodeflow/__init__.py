"""nodeflow: neural ODEs on complex networks, and generative models of network weights.

Importing this package loads neither torch nor pandas: Snakemake parses its rules with it.
"""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("nodeflow")
